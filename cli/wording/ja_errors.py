"""What goes wrong in Japanese: usage, files, the environment, database and broker."""

from collections.abc import Sequence

TEMPLATES: Sequence[tuple[str, str]] = (
    # -- what the command line itself finds
    ("{message} (see `mail-preflight --help`)", "{message}（`mail-preflight --help` を参照）"),
    ("No such command {name}.", "{name} というコマンドはありません。"),
    ("Missing command.", "コマンドを指定してください。"),
    ("Missing option {hint}.", "オプション {hint} を指定してください。"),
    ("Missing option {hint}. {more}", "オプション {hint} を指定してください。{more}"),
    ("Missing argument {hint}.", "引数 {hint} を指定してください。"),
    ("Invalid value for {hint}: {message}", "{hint} の値が正しくありません。{message}"),
    ("Invalid value: {message}", "値が正しくありません。{message}"),
    ("No such option: {name}", "{name} というオプションはありません。"),
    ("No such option: {name} (Possible options: {others})", "{name} というオプションはありません（候補：{others}）。"),
    ("Got unexpected extra argument(s) ({args})", "余分な引数があります（{args}）。"),
    ("Got unexpected extra argument ({args})", "余分な引数があります（{args}）。"),
    ("{value} is not one of {others}.", "{value} は次のいずれでもありません：{others}"),
    ("{value} is not a valid {kind}.", "{value} は {kind} として正しくありません。"),
    ("{value} is not in the range {range}.", "{value} は範囲 {range} にありません。"),
    ("Option {name} requires an argument.", "オプション {name} には値が必要です。"),
    ("interrupted", "中断しました"),
    ("{message}; nothing that was stored is lost", "{message}。保存済みのものは失われていません"),
    (
        "something went wrong on our side ({kind}); this says nothing about your settings{where}",
        "本プログラム側で問題が発生しました（{kind}）。設定の良し悪しとは関係ありません{where}",
    ),
    ("; the details are in {path}", "。詳細は {path} にあります"),
    # -- the HTTP API
    ("the HTTP API answers at {url}", "HTTP API は {url} で応答します"),
    (
        "nobody has an API key yet; make the first one: `mail-preflight api-keys create NAME`",
        "API キーがまだありません。最初のキーを作るには `mail-preflight api-keys create NAME` を実行してください",
    ),
    ("the page is at {url}", "管理画面は {url} です"),
    (
        "nobody can sign in to the page yet; the first one does by this link, once: {link}",
        "管理画面にサインインできる人がまだいません。最初の利用者は次のリンクから設定してください（1 回限り）：{link}",
    ),
    (
        "this link was used already, or is too old; ask for another one",
        "このリンクはすでに使用されたか、期限が切れています。新しいリンクを依頼してください",
    ),
    ("a password has {count} characters or more", "パスワードは {count} 文字以上にしてください"),
    ("this is not your password", "現在のパスワードが正しくありません"),
    (
        "{name} is a user who may not set this up; choose another name",
        "{name} はこの設定を行う権限のない利用者です。別の名前を選んでください",
    ),
    ("an operator has no page; use an API key", "運用者には管理画面がありません。API キーを使ってください"),
    (
        "there is no such session; it may have ended by itself",
        "そのセッションはありません。すでに終了した可能性があります",
    ),
    (
        "{name} is no origin; give it like https://crm.example.com",
        "{name} はオリジンではありません。https://crm.example.com のように指定してください",
    ),
    ("up to {most} origins can be registered", "登録できるオリジンは {most} 件までです"),
    ("a host app elsewhere is reached by https", "別のマシンのホストアプリには https が必要です"),
    (
        "an embedded page has one of the roles {roles}",
        "埋め込みページの役割は次のいずれかです：{roles}",
    ),
    (
        "no origin is registered that may embed the page: PUT /v1/embed-origins first",
        "ページを埋め込めるオリジンが登録されていません。先に PUT /v1/embed-origins を実行してください",
    ),
    ("there is no such page", "そのページはありません"),
    (
        "nothing can listen at {place} ({reason}); give others by MAIL_PREFLIGHT_WEB_HOST and MAIL_PREFLIGHT_WEB_PORT",
        "{place} では待ち受けできません（{reason}）。MAIL_PREFLIGHT_WEB_HOST と MAIL_PREFLIGHT_WEB_PORT で別のものを"
        "指定してください",
    ),
    (
        "`mail-preflight web` needs a port; set MAIL_PREFLIGHT_WEB_PORT, for example to 8025",
        "`mail-preflight web` にはポートが必要です。MAIL_PREFLIGHT_WEB_PORT を、例えば 8025 に設定してください",
    ),
    (
        "`mail-preflight web` is for the distributed mode and MAIL_PREFLIGHT_BROKER_URL names no broker; "
        "`mail-preflight serve` answers the API and works in one process",
        "`mail-preflight web` は分散モード用ですが、MAIL_PREFLIGHT_BROKER_URL にブローカーが指定されていません。"
        "`mail-preflight serve` は API の応答と処理を 1 つのプロセスで行います",
    ),
    (
        "the environment asks for OpenTelemetry traces and its SDK is not installed; install it with "
        "`pip install 'mail-preflight[otel]'`, or unset the variables that begin with OTEL_",
        "環境変数で OpenTelemetry のトレースが求められていますが、SDK がインストールされていません。"
        "`pip install 'mail-preflight[otel]'` を実行するか、OTEL_ で始まる変数を消してください",
    ),
    (
        "OTEL_TRACES_EXPORTER {name} is not known; give otlp, console or none",
        "OTEL_TRACES_EXPORTER {name} は不明です。otlp、console、none のいずれかを指定してください",
    ),
    # -- options
    (
        "only one file can be standard input; give the other one by its name",
        "標準入力にできるファイルは 1 つだけです。もう一方はファイル名で指定してください",
    ),
    ("--authentication none is for --protocol smtp", "--authentication none は --protocol smtp でのみ使えます"),
    (
        "give either HOST:PORT or --exchange URL, not both",
        "HOST:PORT と --exchange URL はどちらか一方だけを指定してください",
    ),
    (
        "--exchange URL goes without --protocol, or with --protocol https",
        "--exchange URL では --protocol を省くか --protocol https を指定してください",
    ),
    (
        "give HOST:PORT and --protocol imap or smtp, for example: check mail.example.com:993 --protocol imap; "
        "or --exchange URL",
        "HOST:PORT と --protocol imap または smtp を指定するか（例：check mail.example.com:993 --protocol imap）、"
        "--exchange URL を指定してください",
    ),
    (
        "Exchange has no STARTTLS: leave --security out",
        "Exchange には STARTTLS がありません。--security を省いてください",
    ),
    (
        "give {missing} HOST:PORT; a domain needs both, or --exchange URL",
        "{missing} HOST:PORT を指定してください。ドメインには両方、または --exchange URL が必要です",
    ),
    (
        "give either --exchange URL or --imap and --smtp: a domain has one of them",
        "--exchange URL か、--imap と --smtp のどちらかを指定してください",
    ),
    (
        "leave --smtp-authentication out: Exchange sends through EWS",
        "--smtp-authentication を省いてください。Exchange は EWS で送信します",
    ),
    (
        "--roll-back-by-itself needs a watch: leave --watch-minutes out or give more than 0",
        "--roll-back-by-itself には監視が必要です。--watch-minutes を省くか 0 より大きい値を指定してください",
    ),
    (
        "--watch needs a watch: leave --watch-minutes out or give more than 0",
        "--watch には監視が必要です。--watch-minutes を省くか 0 より大きい値を指定してください",
    ),
    (
        "{option}: {text} is no time; give it like 2026-03-01T22:00, or with an offset: 2026-03-01T22:00+01:00",
        "{option}：{text} は日時ではありません。2026-03-01T22:00 または 2026-03-01T22:00+01:00 "
        "のように指定してください",
    ),
    ("--imap: {message}", "--imap：{message}"),
    ("--smtp: {message}", "--smtp：{message}"),
    # -- files
    (
        "--ca-file {path}: larger than 4 MB; give a PEM file of CA certificates",
        "--ca-file {path}：4 MB を超えています。CA 証明書の PEM ファイルを指定してください",
    ),
    (
        "--ca-file {path}: empty; give a PEM file of CA certificates",
        "--ca-file {path}：空です。CA 証明書の PEM ファイルを指定してください",
    ),
    (
        "--ca-file {path}: not a PEM file; give CA certificates as PEM text",
        "--ca-file {path}：PEM ファイルではありません。CA 証明書を PEM 形式で指定してください",
    ),
    ("the CA file holds no certificate in PEM form", "CA ファイルに PEM 形式の証明書がありません"),
    ("--ca-file {path}: cannot be read ({reason})", "--ca-file {path}：読み取れません（{reason}）"),
    ("--url-file {path}: cannot be read ({reason})", "--url-file {path}：読み取れません（{reason}）"),
    (
        "--url-file {path}: not a text file; give a file with one Apprise URL",
        "--url-file {path}：テキストファイルではありません。Apprise の URL が 1 つ書かれたファイルを指定してください",
    ),
    (
        "the Apprise URL must be one line, such as mailto://... or json://...",
        "Apprise の URL は mailto://... や json://... のような 1 行で指定してください",
    ),
    (
        "give --url-file FILE, or --url-file - to read the Apprise URL from standard input",
        "--url-file FILE を指定するか、--url-file - で標準入力から Apprise の URL を渡してください",
    ),
    (
        "the demo needs the package {name}: {command}",
        "デモにはパッケージ {name} が必要です：{command}",
    ),
    # -- settings that were typed
    (
        "{text} must be HOST:PORT, for example mail.example.com:993",
        "{text} は HOST:PORT の形で指定してください（例：mail.example.com:993）",
    ),
    ("port {digits} must be a number from 1 to 65535", "ポート {digits} は 1 から 65535 までの数で指定してください"),
    (
        "host {text} must not have a zone: it means something on one machine only",
        "ホスト {text} にゾーンは付けられません。1 台のマシンの中でしか意味がありません",
    ),
    (
        "{field} {text} is not a valid name; give it like {example}",
        "{field} {text} は正しい名前ではありません。{example} のように指定してください",
    ),
    ("{field} {text} is not a valid name: {reason}", "{field} {text} は正しい名前ではありません：{reason}"),
    ("{field} {text} looks like an incomplete IP address", "{field} {text} は不完全な IP アドレスのようです"),
    ("{field} {text} is too long for a name", "{field} {text} は名前として長すぎます"),
    (
        "give the address of the Exchange server, for example mail.example.com",
        "Exchange サーバーのアドレスを指定してください（例：mail.example.com）",
    ),
    (
        "the Exchange address is too long or holds characters that no address has",
        "Exchange のアドレスが長すぎるか、使えない文字が含まれています",
    ),
    (
        "an Exchange address starts with https://, not with {scheme}://",
        "Exchange のアドレスは {scheme}:// ではなく https:// で始まります",
    ),
    ("the host in the Exchange address must not hold a % sign", "Exchange のアドレスのホスト名に % は使えません"),
    (
        "that is an e-mail address; give the Exchange server's, like mail.example.com",
        "それはメールアドレスです。mail.example.com のように Exchange サーバーのアドレスを指定してください",
    ),
    ("the IPv6 address in the Exchange address is not complete", "Exchange のアドレスの IPv6 アドレスが不完全です"),
    (
        "the port in the Exchange address must be a number from 1 to 65535",
        "Exchange のアドレスのポートは 1 から 65535 までの数で指定してください",
    ),
    ("the Exchange address: {message}", "Exchange のアドレス：{message}"),
    # -- environment, keys
    (
        "the environment variable {name} is not usable: {reason}",
        "環境変数 {name} は使えません：{reason}",
    ),
    (
        "give memory:// or redis://[user:password@]host[:port]/number, or rediss:// with TLS",
        "memory:// または redis://[ユーザー:パスワード@]ホスト[:ポート]/番号、TLS では rediss:// を指定してください",
    ),
    (
        "MAIL_PREFLIGHT_LOG_LEVEL {level} is no level; give DEBUG, INFO, WARNING or ERROR",
        "MAIL_PREFLIGHT_LOG_LEVEL {level} はログレベルではありません。DEBUG、INFO、WARNING、ERROR "
        "のいずれかを指定してください",
    ),
    (
        "set MAIL_PREFLIGHT_SECRET_KEY; `mail-preflight keys new` makes one",
        "MAIL_PREFLIGHT_SECRET_KEY を設定してください。`mail-preflight keys new` で作れます",
    ),
    ("an encryption key is needed to store credentials", "パスワードなどを保存するには暗号鍵が必要です"),
    (
        "{name} must be 32 random bytes in URL-safe base64 (44 characters)",
        "{name} は URL セーフな base64 で表した 32 バイトの乱数（44 文字）でなければなりません",
    ),
    ("encryption key {number}", "暗号鍵 {number}"),
    ("the key in {path}", "{path} の鍵"),
    (
        "the key file {path} is open to other users; run: chmod 600 {path}",
        "鍵ファイル {path} がほかの利用者から読めます。次を実行してください: chmod 600 {path}",
    ),
    ("the key file {path} cannot be used: {reason}", "鍵ファイル {path} は使えません：{reason}"),
    ("the key file {path} holds no encryption key", "鍵ファイル {path} に暗号鍵がありません"),
    (
        "metrics cannot be served on {host} port {port}: {reason}; give each process its own "
        "MAIL_PREFLIGHT_METRICS_PORT, "
        "or correct MAIL_PREFLIGHT_METRICS_HOST",
        "{host} のポート {port} でメトリクスを公開できません：{reason}。プロセスごとに別の "
        "MAIL_PREFLIGHT_METRICS_PORT を"
        "指定するか、MAIL_PREFLIGHT_METRICS_HOST を直してください",
    ),
    # -- database
    (
        "the database URL must be of SQLite or PostgreSQL; {help}",
        "データベースの URL は SQLite か PostgreSQL のものを指定してください。{help}",
    ),
    (
        "the database URL must name a file and no options; {help}",
        "データベースの URL にはファイルだけを指定してください。{help}",
    ),
    ("the database URL cannot be read; {help}", "データベースの URL を解釈できません。{help}"),
    (
        "give it like sqlite:////folder/file.db or postgresql://user:password@host/name",
        "sqlite:////folder/file.db または postgresql://user:password@host/name のように指定してください",
    ),
    (
        "the database {name} was written by a newer version of this program (schema {revision}); upgrade "
        "the program or "
        "use another database",
        "データベース {name} は新しい版のプログラムが書いたものです（スキーマ {revision}）。"
        "プログラムを更新するか、別のデータベースを使ってください",
    ),
    ("the database {name} cannot be used: {reason}", "データベース {name} を使えません：{reason}"),
    ("the database {name} cannot be used: {reason}; {remedy}", "データベース {name} を使えません：{reason}。{remedy}"),
    ("all connections are taken", "すべての接続が使用中です"),
    ("{reason}; try again in a moment", "{reason}。少し待ってからやり直してください"),
    ("try again in a moment", "少し待ってからやり直してください"),
    (
        "start PostgreSQL, or correct MAIL_PREFLIGHT_DATABASE_URL",
        "PostgreSQL を起動するか、MAIL_PREFLIGHT_DATABASE_URL を直してください",
    ),
    (
        "make room on the disk, and let us write there",
        "ディスクの空きを増やし、書き込めるようにしてください",
    ),
    (
        "the database {name} was held by another transaction for {seconds} s",
        "データベース {name} は別の処理が {seconds} 秒間使用していました",
    ),
    # -- broker and processes
    (
        "the broker of MAIL_PREFLIGHT_BROKER_URL does not answer; start Redis, or correct the URL",
        "MAIL_PREFLIGHT_BROKER_URL のブローカーが応答しません。Redis を起動するか、URL を直してください",
    ),
    (
        "the broker of MAIL_PREFLIGHT_BROKER_URL does not take the user name and password of the URL; correct them",
        "MAIL_PREFLIGHT_BROKER_URL のブローカーが URL のユーザー名とパスワードを受け付けません。直してください",
    ),
    (
        "the broker of MAIL_PREFLIGHT_BROKER_URL asks for a password and the URL has none that fits; correct it",
        "MAIL_PREFLIGHT_BROKER_URL のブローカーがパスワードを求めていますが、URL のものが合いません。直してください",
    ),
    (
        "the broker of MAIL_PREFLIGHT_BROKER_URL refuses what the URL asks for; correct it",
        "MAIL_PREFLIGHT_BROKER_URL のブローカーが URL の要求を拒否しました。直してください",
    ),
    (
        "the broker of MAIL_PREFLIGHT_BROKER_URL is still loading its data; try again in a moment",
        "MAIL_PREFLIGHT_BROKER_URL のブローカーはデータを読み込み中です。少し待ってからやり直してください",
    ),
    (
        "the worker did not start; is the broker up, and is this machine very busy?",
        "ワーカーが起動しませんでした。ブローカーは動いていますか。このマシンは混み合っていませんか",
    ),
    (
        "the broker does not do what the worker needs; it ends, and goes on when it is started again",
        "ブローカーがワーカーの要求に応えません。ワーカーは終了し、再び起動すると続きから行います",
    ),
    (
        "another `mail-preflight serve` works on this database (it holds {path})",
        "別の `mail-preflight serve` がこのデータベースで動いています（{path} を保持しています）",
    ),
    # -- connection IPs
    (
        "{count} addresses are too many, each is tested at every server; give {most} at most",
        "アドレスが {count} 個あり、多すぎます。各サーバーで 1 つずつ検証されるため、{most} 個以下にしてください",
    ),
    (
        "{range} has too many addresses, each is tested at every server; give {most} at most",
        "{range} のアドレスは多すぎます。各サーバーで 1 つずつ検証されるため、{most} 個以下にしてください",
    ),
    (
        "{name} is no name of an egress; give lower-case letters and digits, as in tokyo=203.0.113.8/30",
        "{name} は出口の名前として使えません。tokyo=203.0.113.8/30 のように、小文字の英字と数字で指定してください",
    ),
    (
        "{item}: the local range after @ must have the same family and size",
        "{item}：@ の後のローカル範囲は、同じ種類、同じ大きさにしてください",
    ),
    (
        "{text} is no address and no range, such as 203.0.113.8/30 or 2001:db8::8/126",
        "{text} はアドレスでも範囲でもありません。203.0.113.8/30 や 2001:db8::8/126 のように指定してください",
    ),
    (
        "there is no egress {name}; MAIL_PREFLIGHT_STATIC_ADDRESSES names: {known}",
        "出口 {name} はありません。MAIL_PREFLIGHT_STATIC_ADDRESSES にあるのは次のものです：{known}",
    ),
    (
        "this service has no static addresses; its operator sets MAIL_PREFLIGHT_STATIC_ADDRESSES",
        "本サービスには固定アドレスがありません。運用者が MAIL_PREFLIGHT_STATIC_ADDRESSES を設定します",
    ),
    (
        "static addresses are {state} for {domain} already",
        "{domain} の固定アドレスは、すでに {state} です",
    ),
    (
        "{domain} has no settings in force; give them to `mail-preflight verify`",
        "{domain} には有効な設定がありません。`mail-preflight verify` に指定してください",
    ),
    (
        "{domain} has no settings yet; `mail-preflight verify` saves some",
        "{domain} にはまだ設定がありません。`mail-preflight verify` で保存できます",
    ),
    (
        "the addresses that connections come from are not known here; the operator of this service sets"
        " MAIL_PREFLIGHT_SHARED_ADDRESSES or MAIL_PREFLIGHT_STATIC_ADDRESSES",
        "接続元のアドレスが不明です。本サービスの運用者が MAIL_PREFLIGHT_SHARED_ADDRESSES または"
        " MAIL_PREFLIGHT_STATIC_ADDRESSES を設定します",
    ),
)
