"""What the HTTP API and the page refuse, in Japanese: their own sentences, and the titles of problems."""

from collections.abc import Sequence

TEMPLATES: Sequence[tuple[str, str]] = (
    # -- titles
    ("A field of the request cannot be used.", "リクエストの項目に使えない値があります。"),
    ("The body of the request cannot be read.", "リクエストの本文を読み取れません。"),
    ("The request is no HTTP/1.1.", "リクエストが HTTP/1.1 ではありません。"),
    ("The request has no API key.", "リクエストに API キーがありません。"),
    ("The API key is none that can be used.", "この API キーは使えません。"),
    ("The API key may not do this.", "この API キーにはこの操作の権限がありません。"),
    ("There is nothing of that name for this API key.", "この API キーで扱えるものに、その名前のものはありません。"),
    ("This path does not know the method.", "このパスではそのメソッドを使えません。"),
    ("The answer cannot be had in that form.", "その形式では応答できません。"),
    ("The request did not arrive in time.", "リクエストが時間内に届きませんでした。"),
    ("Something else stands against it.", "ほかの処理と競合しています。"),
    ("The change is not in a state in which this can be done.", "変更がこの操作のできる状態ではありません。"),
    ("A request with this Idempotency-Key is under way.", "この Idempotency-Key のリクエストを処理中です。"),
    ("What came after that event is not known any more.", "そのイベントより後の記録は残っていません。"),
    ("The report is not the one that was reviewed.", "確認したレポートと異なります。"),
    ("The body of the request is too large.", "リクエストの本文が大きすぎます。"),
    ("The body's media type is none that this path reads.", "本文のメディアタイプがこのパスでは読み取れません。"),
    ("The number of accepted disconnects is not the report's.", "承諾した切断数がレポートと一致しません。"),
    ("The Idempotency-Key was used for another request.", "この Idempotency-Key は別のリクエストで使われています。"),
    ("The request must name the report that it is about.", "対象のレポートを指定してください。"),
    ("The API key has sent too many requests.", "この API キーのリクエストが多すぎます。"),
    ("The headers of the request are too large.", "リクエストのヘッダーが大きすぎます。"),
    ("We failed.", "サービス側の問題で失敗しました。"),
    ("The service cannot do it now.", "現在この処理を行えません。"),
    # -- who asks
    (
        "send one Authorization header; which of several is meant, nobody can tell",
        "Authorization ヘッダーは 1 つだけ送ってください。複数あると区別できません",
    ),
    (
        "send it as `Authorization: Bearer mp_...`; a key is never read from the address",
        "`Authorization: Bearer mp_...` の形で送ってください。アドレスからはキーを読み取りません",
    ),
    (
        "it is mistyped, was revoked or has expired; an administrator of the account makes another",
        "入力の誤り、無効化、期限切れのいずれかです。新しいキーはアカウントの管理者が作成できます",
    ),
    ("this is an operator's key, which belongs to no account", "これは運用者のキーで、アカウントに属していません"),
    (
        "this needs the scope {scope}, and the API key has {held}",
        "スコープ {scope} が必要です。この API キーのスコープ：{held}",
    ),
    (
        "this is a member's key, and the member belongs to no domain",
        "これはメンバーのキーですが、そのメンバーはドメインに属していません",
    ),
    (
        "time can be moved with a test key only, in its sandbox",
        "時刻を進められるのは、テストキーによるサンドボックス内だけです",
    ),
    (
        "a test key manages neither keys nor users; use a live one",
        "テストキーではキーもユーザーも管理できません。本番のキーを使ってください",
    ),
    (
        "{count} requests of the kind {kind} may come in a minute; go on in {seconds} s",
        "1 分間に送れる {kind} のリクエストは {count} 件までです。{seconds} 秒後に続けてください",
    ),
    (
        "{count} streams and long polls of this API key are open; end one of them",
        "この API キーのストリームとロングポーリングが {count} 件開いています。いずれかを終了してください",
    ),
    # -- what cannot be read
    ("the body is no JSON: {what}", "本文が JSON ではありません：{what}"),
    ("the body came too slowly; nothing was done", "本文の受信が遅すぎるため、何も処理していません"),
    ("the body ended before its end; nothing was stored", "本文が途中で終わりました。何も保存していません"),
    ("the body is nested more than {count} levels deep", "本文の入れ子が {count} 段を超えています"),
    ("the number is too large", "数値が大きすぎます"),
    ("this path takes up to {count} bytes", "このパスで受け付けるのは {count} バイトまでです"),
    (
        "a body has {count} MiB at most; send the mailboxes in several requests",
        "本文は {count} MiB までです。メールボックスを複数のリクエストに分けて送ってください",
    ),
    (
        "send the body as JSON in UTF-8, not compressed, with Content-Type: application/json",
        "本文は UTF-8 の JSON で、圧縮せず、Content-Type: application/json を付けて送ってください",
    ),
    ("send it as {forms}", "次のいずれかの形式で送ってください：{forms}"),
    ("send the text in UTF-8", "テキストは UTF-8 で送ってください"),
    ("send the body without a Content-Encoding", "本文は Content-Encoding なしで送ってください"),
    (
        "a text may hold neither NUL nor half of a surrogate pair",
        "テキストに NUL やサロゲートペアの片方だけを含めることはできません",
    ),
    (
        "{place}: a text may hold neither NUL nor half of a surrogate pair",
        "{place}：テキストに NUL やサロゲートペアの片方だけを含めることはできません",
    ),
    ("it has characters that cannot be written", "書き込めない文字が含まれています"),
    ("a request cannot be kept on disk: {reason}", "リクエストをディスクに保存できません：{reason}"),
    (
        "{field} cannot be null; leave it out to leave it as it is",
        "{field} に null は指定できません。変更しない場合は省いてください",
    ),
    # -- what is not there
    ("there is no such path", "そのパスはありません"),
    ("{method} is not what this path takes", "このパスでは {method} を使えません"),
    ("there is no such problem", "その問題はありません"),
    ("there is no such page", "そのページはありません"),
    ("there is no change {id}", "変更 {id} はありません"),
    ("there is nothing with the id {id}", "ID が {id} のものはありません"),
    (
        "{id} is no id of this kind: it begins with {prefix}_",
        "{id} はこの種類の ID ではありません。{prefix}_ で始まります",
    ),
    ("{id} is no event's id: it begins with evt_", "{id} はイベントの ID ではありません。evt_ で始まります"),
    ("that is no event's id", "イベントの ID ではありません"),
    ("it is no cursor of this list", "この一覧のカーソルではありません"),
    (
        "it is no cursor of this list; take `next_cursor` as it was given",
        "この一覧のカーソルではありません。`next_cursor` をそのまま使ってください",
    ),
    (
        "it is no cursor of this list; take `next_cursor` as it was given, or begin without one",
        "この一覧のカーソルではありません。`next_cursor` をそのまま使うか、カーソルなしで始めてください",
    ),
    (
        "there are no events of the type {type}; there are {known}",
        "{type} という種類のイベントはありません。あるもの：{known}",
    ),
    (
        "events are kept for 30 days, and what came after this one is not known; note latest_id, read how things are "
        "now, then go on with after=latest_id",
        "イベントの保存期間は 30 日で、これより後の記録は残っていません。latest_id を控えて現在の状態を読み取り、"
        "after=latest_id から続けてください",
    ),
    ("give after or cursor, not both", "after と cursor はどちらか一方だけ指定してください"),
    (
        "say from where on: `after`, an event's id, or `since`, a time",
        "開始点を指定してください：`after`（イベントの ID）または `since`（時刻）",
    ),
    # -- forms of an answer
    (
        "the mailboxes can be had as {json}, {csv} and {lines}",
        "メールボックスの一覧に使える形式：{json}、{csv}、{lines}",
    ),
    ("a discovery can be had as {json} and {lines}", "設定の探索結果に使える形式：{json}、{lines}"),
    # -- what cannot be done so
    (
        "send If-Match with the checksum of the report that was reviewed: {example}",
        "確認したレポートのチェックサムを If-Match で送ってください：{example}",
    ),
    (
        "give the one checksum of the report, all 64 characters of it, in double quotes",
        "レポートのチェックサム 1 つを、64 文字すべて二重引用符で囲んで指定してください",
    ),
    (
        "it needs a watch: give more than 0 watch_minutes",
        "監視が必要です。watch_minutes に 0 より大きい値を指定してください",
    ),
    (
        "an administrator decides which certificates are accepted; leave it out",
        "どの証明書を受け入れるかは管理者が決めます。この項目は省いてください",
    ),
    (
        "this cannot be undone; send it with ?confirm={domain} to remove the domain and all that `ends` names",
        "元に戻せません。ドメインと `ends` にあるすべてを削除するには、?confirm={domain} を付けて送ってください",
    ),
    (
        "this is a URL as it is shown, without its secrets; give the whole one",
        "表示用に秘密の部分を除いた URL です。完全な URL を指定してください",
    ),
    ("maintenance must end after it starts", "メンテナンスの終了は開始より後にしてください"),
    ("this change is one of another domain", "これは別のドメインの変更です"),
    ("this entry is one of another domain", "これは別のドメインのものです"),
    ("the report has no such repair", "このレポートにその修正はありません"),
    ("type the number of mailboxes in digits", "メールボックスの数を数字で入力してください"),
    ("choose how long the mailboxes are watched", "メールボックスを監視する時間を選んでください"),
    # -- once and again
    (
        "give one key of 1 to {count} printable characters, such as {example}",
        "1 ～ {count} 文字の印字可能な文字でキーを 1 つ指定してください（例：{example}）",
    ),
    ("Idempotency-Key: {detail}", "Idempotency-Key の指定：{detail}"),
    (
        "this answer is too long to be kept; send the request without a key",
        "応答が長すぎて保存できません。キーなしで送ってください",
    ),
    (
        "this Idempotency-Key came with another request before; give every request its own",
        "この Idempotency-Key は以前に別のリクエストで使われました。リクエストごとに別のキーを使ってください",
    ),
    (
        "the first request with this key is not answered yet; send it again in a moment",
        "このキーの最初のリクエストを処理中です。しばらくしてからもう一度送ってください",
    ),
    (
        "the first request was answered, and its answer cannot be decrypted any more; look whether it took effect",
        "最初のリクエストには応答済みですが、その応答を復号できません。反映されたかどうかを確認してください",
    ),
    # -- busy, or down
    (
        "{count} discoveries are under way in this process; try again in a moment",
        "このプロセスで {count} 件の設定の探索を実行中です。しばらくしてからもう一度試してください",
    ),
    (
        "{count} checks are under way in this process; try again in a moment",
        "このプロセスで {count} 件の確認を実行中です。しばらくしてからもう一度試してください",
    ),
    (
        "several endpoints are being tested; try again in a moment",
        "複数の送信先をテスト中です。しばらくしてからもう一度試してください",
    ),
    (
        "the database or the broker is not available; nothing that was stored is lost",
        "データベースまたはブローカーを利用できません。保存済みのものは失われていません",
    ),
    ("the HTTP server did not start", "HTTP サーバーが起動しませんでした"),
    (
        "we failed; the request_id helps us to find out why",
        "サービス側の問題で失敗しました。原因の調査には request_id を使います",
    ),
)
