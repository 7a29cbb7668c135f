"""What goes wrong in Japanese: changes, mailboxes, domains, accounts, alerts, and what is said beside a report."""

from collections.abc import Mapping, Sequence

VOCABULARY: Mapping[str, Mapping[str, str]] = {
    "state": {
        "not verified": "未検証",
        "being verified": "検証中",
        "verified": "検証済み",
        "applied": "適用済み",
        "discarded": "破棄済み",
        "replaced by a newer one": "新しい変更に置き換え済み",
        "rolled back": "取り消し済み",
    },
    "what": {
        "verified": "検証",
        "reported": "報告",
        "cancelled": "中止",
        "applied": "適用",
        "rolled back": "取り消し",
        "discarded": "破棄",
        "replaced": "置き換え",
        "reopened": "再開",
        "gone on with": "続行",
        "watched": "監視",
        "approved": "承認",
        "saved": "保存",
        "corrected": "修正",
    },
}
"""What a word means by the place that it stands in."""

TEMPLATES: Sequence[tuple[str, str]] = (
    # -- changes
    ("change {id} is {state} and cannot be {what}; {way}", "変更 {id} は{state}のため、{what}できません。{way}"),
    ("change {id} has no report: it is {state}; {way}", "変更 {id} のレポートはありません（{state}）。{way}"),
    ("there is no change {id} of this domain", "このドメインに変更 {id} はありません"),
    ("the report is another one by now", "レポートは別のものに変わりました"),
    ("change {id} has no report; {way}", "変更 {id} のレポートはありません。{way}"),
    (
        "a change that is not saved cannot be {what}; `mail-preflight verify` saves one",
        "保存されていない変更は{what}できません。`mail-preflight verify` で保存します",
    ),
    ("`mail-preflight again {id}` verifies it", "検証するには：`mail-preflight again {id}`"),
    (
        "`mail-preflight resume {id}` goes on with that, `mail-preflight cancel {id}` ends it",
        "続けるには：`mail-preflight resume {id}`、中止するには：`mail-preflight cancel {id}`",
    ),
    (
        "`mail-preflight report {id}` says what can be done with it",
        "できることを見るには：`mail-preflight report {id}`",
    ),
    ("`mail-preflight history {id}` says what became of it", "経緯を見るには：`mail-preflight history {id}`"),
    ("`mail-preflight reopen {id}` takes it up again", "再開するには：`mail-preflight reopen {id}`"),
    ("change {id} is not in force any more; {way}", "変更 {id} はもう有効ではありません。{way}"),
    (
        "`mail-preflight rollback {id}` takes the later one back first",
        "先に後の変更を取り消すには：`mail-preflight rollback {id}`",
    ),
    (
        "the settings of {domain} were changed since this change was saved; {again}",
        "この変更の保存後に {domain} の設定が変わりました。{again}",
    ),
    ("verify it again: {command}", "もう一度検証してください：{command}"),
    (
        "the report is {minutes} minutes old and may be out of date; {again}",
        "レポートは {minutes} 分前のもので、古くなっている可能性があります。{again}",
    ),
    (
        "the report is {minutes} minutes ahead of the clock, so nobody knows its age; {again}",
        "レポートの時刻が時計より {minutes} 分進んでいるため、古さが分かりません。{again}",
    ),
    (
        "{count} mailboxes of {domain} were added or changed since the report; {again}",
        "レポートの後に {domain} のメールボックス {count} 件が追加または変更されました。{again}",
    ),
    ("give at least {count} characters of the checksum", "チェックサムは {count} 文字以上を指定してください"),
    (
        "the report is not the one that was reviewed: its checksum is another; {command} shows it",
        "確認したレポートとは別のものです（チェックサムが異なります）。表示するには：{command}",
    ),
    (
        "the report is incomplete: {count} mailboxes were not tried; {command} goes on with them",
        "レポートは未完了です。メールボックス {count} 件を試していません。続けるには：{command}",
    ),
    (
        "a server of these settings does not work; to put them in force all the same: {command}",
        "この設定のサーバーが動作していません。それでも有効にするには：{command}",
    ),
    (
        "{count} mailboxes would disconnect; to accept that: {command}",
        "メールボックス {count} 件が切断されます。承知して適用するには：{command}",
    ),
    (
        "{count} mailboxes would disconnect, not {accepted}; to accept that: {command}",
        "切断されるメールボックスは {accepted} 件ではなく {count} 件です。承知して適用するには：{command}",
    ),
    (
        "change {id} was changed by somebody else just now; {command} says how",
        "変更 {id} はたった今ほかの人が変更しました。経緯を見るには：{command}",
    ),
    (
        "there is no change {id}; `mail-preflight changes DOMAIN` lists those of a domain",
        "変更 {id} はありません。ドメインの変更の一覧：`mail-preflight changes DOMAIN`",
    ),
    (
        "the report is out of date; `mail-preflight again {id}` verifies the change anew",
        "レポートが古くなりました。検証し直すには：`mail-preflight again {id}`",
    ),
    (
        "change {id} has no mailbox left untried; {command} shows what is known",
        "変更 {id} に試していないメールボックスはありません。分かっていることを見るには：{command}",
    ),
    (
        "more than one change begins with {id}; give more of its id",
        "{id} で始まる変更が複数あります。ID をもう少し長く指定してください",
    ),
    (
        "there is no run {id}; `mail-preflight report` shows what a change came to",
        "実行 {id} はありません。変更の結果を見るには：`mail-preflight report`",
    ),
    (
        "this replaces change {id}{who}, which was not applied; `mail-preflight reopen {id}` brings it back",
        "未適用の変更 {id}{who} をこれで置き換えます。元に戻すには：`mail-preflight reopen {id}`",
    ),
    (", saved by {name}", "（{name} が保存）"),
    (
        "once applied, these settings concern every mailbox of {domain}: {count}",
        "適用すると、{domain} のすべてのメールボックスに影響します：{count} 件",
    ),
    (
        "from the file: {added} new mailboxes, {updated} with other credentials, {unchanged} as stored; "
        "they belong to "
        "this change, and nothing of it is in force before `apply`",
        "ファイルから：新しいメールボックス {added} 件、パスワードなどが異なるもの {updated} 件、保存済みと同じもの "
        "{unchanged} 件。これらはこの変更に属し、`apply` までは何も有効になりません",
    ),
    (
        "interrupted; logins under way are finished first (Ctrl-C again: end at once); what is known is kept: {ways}",
        "中断しました。進行中のログインを終えてから停止します（もう一度 Ctrl-C ですぐに停止）。"
        "結果は保存されています。{ways}",
    ),
    (
        "`mail-preflight resume {id}` goes on with it, `mail-preflight discard {id}` gives it up",
        "続けるには：`mail-preflight resume {id}`、破棄するには：`mail-preflight discard {id}`",
    ),
    (
        "no longer waiting; the workers go on; `mail-preflight resume {id}` waits again; `mail-preflight "
        "report {id}` prints "
        "the report when there is one",
        "待つのをやめました。ワーカーは続けています。再び待つには：`mail-preflight resume {id}`、"
        "レポートができたら表示するには：`mail-preflight report {id}`",
    ),
    (
        "nobody watches any more; `mail-preflight watch {id}` does",
        "監視する者がいなくなりました。ここで監視するには：`mail-preflight watch {id}`",
    ),
    # -- mailboxes and their files
    ("{file}, row {row}: {what}", "{file} の {row} 行目：{what}"),
    (
        "the file has more than {count} mailboxes; split it",
        "メールボックスが {count} 件を超えています。ファイルを分けてください",
    ),
    ("{file} is empty; {help}", "{file} は空です。{help}"),
    ("{file} has no mailbox below its header row", "{file} の見出し行の下にメールボックスがありません"),
    (
        "the first line must name the columns: address,password or address,username,password",
        "1 行目には列名を書いてください：address,password または address,username,password",
    ),
    ("the header row is missing; {help}", "見出し行がありません。{help}"),
    ("the column {name} is missing; {help}", "列 {name} がありません。{help}"),
    ("the column {name} is there twice", "列 {name} が 2 回あります"),
    ("column {number} is called {name}; {help}", "{number} 列目の名前が {name} です。{help}"),
    (
        "lines end with CR alone; save the file with line ends LF or CRLF",
        "改行が CR だけです。改行を LF または CRLF にして保存してください",
    ),
    (
        'the quotes do not match; put the whole field in quotes and write " inside it as ""',
        '引用符が対応していません。項目全体を引用符で囲み、中の " は "" と書いてください',
    ),
    (
        "{found} fields instead of {expected}; put a field with a comma in quotes",
        "項目が {expected} 個ではなく {found} 個あります。コンマを含む項目は引用符で囲んでください",
    ),
    ("the password is empty", "パスワードが空です"),
    (
        "the password is what is shown in place of one; give the password itself",
        "パスワードではなく、伏せ字が入っています。パスワードそのものを指定してください",
    ),
    ("line {row} is longer than {count} bytes", "{row} 行目が {count} バイトを超えています"),
    ("there is no mailbox in it", "メールボックスがありません"),
    (
        "there are more than {count} mailboxes; split them",
        "メールボックスが {count} 件を超えています。分けてください",
    ),
    ("the text is not UTF-8", "UTF-8 ではありません"),
    ("the text is not UTF-8 after character {place}", "{place} 文字目より後が UTF-8 ではありません"),
    ("the line is no JSON", "行が JSON ではありません"),
    ("each mailbox is an object", "メールボックスはそれぞれオブジェクトで書いてください"),
    (
        "there is no field {name}; give address, password, username, kind",
        "{name} という項目はありません。address、password、username、kind を指定してください",
    ),
    ("the field {name} is missing", "項目 {name} がありません"),
    ("the {name} must be text", "{name} は文字列で指定してください"),
    ("at character {place}: {what}; {form}", "{place} 文字目：{what}。{form}"),
    (
        'give {{"items": [...]}} with an object for each mailbox, and nothing else',
        '{{"items": [...]}} の形で、メールボックスごとに 1 つのオブジェクトだけを書いてください',
    ),
    ("something follows its end", "終わりの後に何かがあります"),
    ("{sign} is missing", "{sign} がありません"),
    (
        "an item cannot be read, or is longer than {count} characters",
        "読み取れないか、{count} 文字を超える項目があります",
    ),
    ("an item is longer than {count} characters", "項目が {count} 文字を超えています"),
    ("the {name} holds {kind}", "{name} に{kind}が含まれています"),
    ("a NUL byte", " NUL "),
    ("a control character", "制御文字"),
    ("the address is not an e-mail address", "address がメールアドレスではありません"),
    ("the address does not belong to the domain {domain}", "address がドメイン {domain} のものではありません"),
    ("the address is already in row {row}", "同じ address が {row} 行目にあります"),
    ("there is no mailbox {name} in this domain", "このドメインにメールボックス {name} はありません"),
    ("{path} cannot be read: {reason}", "{path} を読み取れません：{reason}"),
    ("the line is longer than {count} bytes", "行が {count} バイトを超えています"),
    (
        "the text is not UTF-8; save the file as CSV in UTF-8",
        "UTF-8 ではありません。UTF-8 の CSV として保存してください",
    ),
    (
        "columns are separated by {name}; separate them by commas",
        "列が {name} で区切られています。コンマで区切ってください",
    ),
    ("semicolons", "セミコロン"),
    ("tabs", "タブ"),
    ("the kind must be one of {kinds}", "kind は次のいずれかです：{kinds}"),
    ("the password of this kind cannot be used: {reason}", "この種類の password は使えません：{reason}"),
    (
        "{count} credentials cannot be read with any of the keys ({others} others were re-encrypted); "
        "add the key they "
        "were written with, or import these mailboxes again",
        "{count} 件のパスワードなどがどの鍵でも読めません（ほかの {others} 件は暗号化し直しました）。"
        "書いたときの鍵を加えるか、これらのメールボックスを取り込み直してください",
    ),
    (
        "there is no mailbox {name} in this domain; nothing was removed",
        "このドメインにメールボックス {name} はありません。何も削除していません",
    ),
    # -- domains, accounts, maintenance
    (
        "domain {name} is not known; import its mailboxes or save its settings first",
        "ドメイン {name} は登録されていません。先にメールボックスを取り込むか、設定を保存してください",
    ),
    (
        "domain {name} is not known; give one of the account's own",
        "ドメイン {name} は登録されていません。このアカウントのものを指定してください",
    ),
    ("this ends: {what}; to do it: {command}", "削除すると失われるもの：{what}。実行するには：{command}"),
    (
        "account {name} is not known; `mail-preflight accounts list` lists them",
        "アカウント {name} はありません。一覧：`mail-preflight accounts list`",
    ),
    (
        "an account's name has letters from a to z, digits, and . _ @ - inside; 100 at most",
        "アカウント名に使えるのは英字、数字、. _ @ - で、100 文字までです",
    ),
    (
        "there is an account {name} already; `mail-preflight accounts list` lists them",
        "アカウント {name} はすでにあります。一覧：`mail-preflight accounts list`",
    ),
    ("the account {name} is always there", "アカウント {name} は削除できません"),
    (
        "the account {name} has domains: {domains}; remove each first: {command}",
        "アカウント {name} にはドメインがあります：{domains}。先にそれぞれを削除してください：{command}",
    ),
    (
        "{name} is the sandbox of an account, and goes with it",
        "{name} はアカウントのサンドボックスで、アカウントとともに削除されます",
    ),
    (
        "an operator has no sandbox: make a test key for an account",
        "運用者にサンドボックスはありません。テストキーはアカウントのものを作ってください",
    ),
    ("a sandbox has test keys only", "サンドボックスで作れるのはテストキーだけです"),
    (
        "maintenance must end after it starts; correct --from and --until",
        "メンテナンスの終了は開始より後でなければなりません。--from と --until を直してください",
    ),
    (
        "that maintenance is over already; give an end that is still to come",
        "そのメンテナンスはすでに終わっています。これから来る終了時刻を指定してください",
    ),
    (
        "maintenance takes 90 days at most; to stop watching a domain for longer, pause it",
        "メンテナンスは最長 90 日です。より長く監視を止めるには、ドメインを一時停止してください",
    ),
    ("a note has {count} characters at most", "メモは {count} 文字までです"),
    (
        "there is no maintenance {id}; `mail-preflight maintenance list` shows them",
        "メンテナンス {id} はありません。一覧：`mail-preflight maintenance list`",
    ),
    # -- alerts
    (
        "note: {host} is a mail server of {names} as well. When it fails, this channel is not told of "
        "that before it works "
        "again; add a second channel that goes another way",
        "注意：{host} は {names} のメールサーバーでもあります。障害のときは復旧するまでこの通知先に届きません。"
        "別の経路の通知先も加えてください",
    ),
    (
        "the URLs of these alert channels cannot be read with any of the keys: {names}; add the key they "
        "were written "
        "with, or remove the channels and add them anew",
        "次の通知先の URL がどの鍵でも読めません：{names}。書いたときの鍵を加えるか、通知先を登録し直してください",
    ),
    (
        "there is a channel {name} already; remove it first, or give another name",
        "通知先 {name} はすでにあります。先に削除するか、別の名前を指定してください",
    ),
    (
        "a channel needs a name of 1 to {count} characters, e.g. admins",
        "通知先の名前は 1 から {count} 文字です（例：admins）",
    ),
    (
        "there is no channel {name}; `mail-preflight alerts list` shows those there are",
        "通知先 {name} はありません。一覧：`mail-preflight alerts list`",
    ),
    (
        "there is no alert channel yet; `mail-preflight alerts add NAME` makes one",
        "通知先はまだありません。加えるには：`mail-preflight alerts add NAME`",
    ),
    (
        "quiet hours need two different times of the day; write them like 22:00-07:00",
        "通知を控える時間帯には異なる 2 つの時刻が必要です（例：22:00-07:00）",
    ),
    (
        "quiet hours must be two times of the day; write them like 22:00-07:00",
        "通知を控える時間帯は 2 つの時刻で指定してください（例：22:00-07:00）",
    ),
    (
        "time zone {name} is not known; give one like Europe/Berlin or UTC",
        "タイムゾーン {name} はありません（例：Asia/Tokyo、UTC）",
    ),
    (
        "the URL has several recipients; add one channel for each: then what fails for one is not sent again to the "
        "others",
        "URL に宛先が複数あります。宛先ごとに通知先を加えてください。1 つの失敗でほかへ再送されることがなくなります",
    ),
    (
        "the password would go to the mail server unencrypted; write mailtos:// for mailto://",
        "パスワードが暗号化されずにメールサーバーへ送られます。mailto:// ではなく mailtos:// と書いてください",
    ),
    ("no alert service is called {schema}://; {help}", "{schema}:// という通知サービスはありません。{help}"),
    (
        "{schema}:// cannot be used here: alerts go out by mail or by HTTP only; {help}",
        "{schema}:// は使えません。アラートはメールか HTTP でのみ送ります。{help}",
    ),
    ("the URL is not usable for {schema}://; {help}", "この URL は {schema}:// では使えません。{help}"),
    (
        "the URL names a file or a PGP key; alerts are sent without",
        "URL がファイルか PGP 鍵を指しています。アラートはそれらなしで送ります",
    ),
    (
        "an alert channel needs a URL such as mailto://... or json://...; {help}",
        "通知先には mailto://... や json://... のような URL が必要です。{help}",
    ),
    (
        "the URL has more than one @ before the host; in a user name or password, write it as %40",
        "URL のホストの前に @ が複数あります。ユーザー名やパスワードの中では %40 と書いてください",
    ),
    ("there is no such alert channel", "そのような通知先はありません"),
    ("there is no such incident", "そのような障害はありません"),
    ("there is no such maintenance, or it is over", "そのようなメンテナンスはないか、すでに終わっています"),
    # -- client profiles
    ("{path}: based_on must be one of {names}", "{path}：based_on は次のいずれかです：{names}"),
    (
        "{path}: name must be 1 to 40 printable characters on one line",
        "{path}：name は 1 行に収まる 1 から 40 文字です",
    ),
    ("{path}: a client profile is no longer than {count} bytes", "{path}：プロファイルは {count} バイトまでです"),
    ("{path} is no TOML file: {reason}", "{path} は TOML ファイルではありません：{reason}"),
    (
        "{path}: {name} is no field of a client profile; it may be {fields}",
        "{path}：{name} はプロファイルの項目ではありません。使えるもの：{fields}",
    ),
    ("give {names} or the path of a .toml file", "{names} か .toml ファイルのパスを指定してください"),
    # -- access to the API
    (
        "give the key a name of up to {count} characters: what it is for",
        "キーに {count} 文字以内の名前（用途）を付けてください",
    ),
    ("the key would have expired already", "キーの有効期限がすでに過ぎています"),
    ("the role {role} does not have {scopes}", "ロール {role} には {scopes} の権限がありません"),
    ("a key without any scope could do nothing", "スコープのないキーでは何もできません"),
    (
        "a user's key has the user's role, which is {role}",
        "ユーザーのキーのロールは、そのユーザーのロール（{role}）です",
    ),
    (
        "an operator belongs to no account, and everybody else to one",
        "オペレーターはどのアカウントにも属さず、それ以外の人は 1 つのアカウントに属します",
    ),
    (
        "a member's key is that of a user; name the user",
        "メンバーのキーはユーザーのものです。ユーザーを指定してください",
    ),
    (
        "give the user a name of up to {count} characters, such as their address",
        "ユーザーに {count} 文字以内の名前（メールアドレスなど）を付けてください",
    ),
    (
        "a member belongs to one domain, and nobody else does",
        "メンバーは 1 つのドメインに属します。それ以外の人にはドメインを指定しません",
    ),
    (
        "there is a user {name} already; `mail-preflight users list` lists them",
        "ユーザー {name} はすでにいます。一覧：`mail-preflight users list`",
    ),
    (
        "there is no such user; `mail-preflight users list` lists them",
        "そのユーザーはいません。一覧：`mail-preflight users list`",
    ),
    (
        "there is no such API key; `mail-preflight api-keys list` lists them",
        "その API キーはありません。一覧：`mail-preflight api-keys list`",
    ),
    (
        "an operator belongs to no account, and so to no domain",
        "オペレーターはどのアカウントにもドメインにも属しません",
    ),
    # -- connecting, and approval
    (
        "this mailbox is being connected already; look again in a moment",
        "このメールボックスは接続中です。少し待ってから確認してください",
    ),
    (
        "{count} logins were rejected within an hour, and mail servers lock accounts for that; "
        "try again in {minutes} minutes",
        "1 時間以内に {count} 回ログインが拒否されました。メールサーバーがアカウントをロックするおそれがあります。"
        "{minutes} 分後にもう一度お試しください",
    ),
    ("this account is no sandbox", "このアカウントはサンドボックスではありません"),
    ("there is no such connection", "その接続はありません"),
    (
        "the mail server has as many logins of ours as it may have; try again in a moment",
        "メールサーバーへの同時ログイン数が上限に達しています。少し待ってからもう一度お試しください",
    ),
    (
        "the domain has settings, which its mailboxes inherit; leave `settings` out",
        "このドメインには設定があり、メールボックスはそれを使います。設定は指定しないでください",
    ),
    ("the domain was removed meanwhile", "ドメインはその間に削除されました"),
    (
        "the domain's settings were changed meanwhile; connect the mailbox once more",
        "その間にドメインの設定が変わりました。もう一度メールボックスを接続してください",
    ),
    (
        "a member connects their own mailbox, which is {address}",
        "メンバーが接続できるのは自分のメールボックス（{address}）だけです",
    ),
    ("domain {name} is not known", "ドメイン {name} はありません"),
    ("nobody waits there any more", "待っている人はもういません"),
    (
        "no settings were typed; give those that the domain is to have",
        "設定は入力されていません。ドメインの設定を指定してください",
    ),
    (
        "changes of {domain} need no approval; {way}",
        "{domain} の変更に承認は必要ありません。{way}",
    ),
    (
        "a change is approved by a person, not by a program: use the key of a user",
        "変更を承認できるのは人だけです。ユーザーのキーを使ってください",
    ),
    (
        "whoever saved a change does not approve it: it takes a second person",
        "変更を保存した本人は承認できません。別の人の承認が必要です",
    ),
    (
        "a program saved the change, so whoever approved it does not apply it: it takes a second person",
        "変更を保存したのはプログラムなので、承認した本人は適用できません。別の人が適用してください",
    ),
    (
        "change {id} awaits the approval of a second person; `mail-preflight approve {id}` gives it",
        "変更 {id} は別の人の承認を待っています。承認するには：`mail-preflight approve {id}`",
    ),
    (
        "the password is read from standard input or a terminal; there is neither",
        "パスワードは標準入力または端末から読み取ります。どちらもありません",
    ),
    ("give the whole address, like ada@example.com", "ada@example.com のようにアドレス全体を指定してください"),
    ("give --role, or --operator", "--role または --operator を指定してください"),
    (
        "{text} is not an address; give it like ada@example.com",
        "{text} はメールアドレスではありません。ada@example.com のように指定してください",
    ),
    (
        "nothing vouches for {hosts}; accept these very hosts first",
        "{hosts} を保証するものがありません。まずこれらのホスト自体を承認してください",
    ),
    (
        "the proposal lacks a server; give both IMAP and SMTP",
        "提案にサーバーが足りません。IMAP と SMTP の両方を指定してください",
    ),
    (
        "a key expires within a hundred years; leave it out for one that does not",
        "キーの有効期限は 100 年以内です。無期限にする場合は省略してください",
    ),
    (
        "maintenance begins within a hundred years; correct --from",
        "メンテナンスの開始は 100 年以内です。--from を修正してください",
    ),
    ("a member's key is of one domain alone", "メンバーのキーは 1 つのドメインにだけ使えます"),
    ("a test key makes no live key", "テスト用のキーで本番用のキーは作成できません"),
    (
        "a key that expires makes none that outlives it",
        "有効期限のあるキーで、それより長く有効なキーは作成できません",
    ),
    (
        "an API key gives nobody what it does not have itself: {scopes}",
        "API キーは、自身が持たない権限（{scopes}）を付与できません",
    ),
    ("this account is no sandbox", "このアカウントはサンドボックスではありません"),
    ("domain {domain} is not known", "ドメイン {domain} は登録されていません"),
)
