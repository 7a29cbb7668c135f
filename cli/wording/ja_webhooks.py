"""Why a webhook endpoint cannot be what is asked for, in Japanese."""

from collections.abc import Sequence

TEMPLATES: Sequence[tuple[str, str]] = (
    (
        "an account has at most {most} webhook endpoints; remove one that is not needed",
        "1 つのアカウントの Webhook エンドポイントは {most} 個までです。不要なものを削除してください",
    ),
    ("there is no such webhook endpoint", "その Webhook エンドポイントはありません"),
    ("there is no such delivery of this webhook endpoint", "この Webhook エンドポイントにその配信はありません"),
    (
        "the secrets of these webhook endpoints cannot be read with any of the keys: {names}; add the key they were "
        "written with, or remove the endpoints and add them anew",
        "次の Webhook エンドポイントの秘密情報はどの鍵でも読めません：{names}。書き込んだときの鍵を加えるか、"
        "エンドポイントを削除して登録し直してください",
    ),
    (
        "the URL of a webhook endpoint has at most {most} characters of ASCII and no blanks",
        "Webhook エンドポイントの URL は空白のない ASCII 文字 {most} 字以内です",
    ),
    (
        "the URL of a webhook endpoint is malformed; give one such as https://app.example.com/h",
        "Webhook エンドポイントの URL が正しくありません。https://app.example.com/h のように指定してください",
    ),
    (
        "the URL has a user name or a password; webhooks are signed, verify the signature instead",
        "URL にユーザー名またはパスワードがあります。Webhook には署名が付くので、代わりに署名を検証してください",
    ),
    (
        "the URL has a fragment (#), which is never sent",
        "URL にフラグメント（#）がありますが、送られることはありません",
    ),
    (
        "the URL's query is left out here, as it may hold a secret; give the whole URL",
        "URL のクエリーは秘密情報を含みうるため省かれています。URL 全体を指定してください",
    ),
    ("the URL of a webhook endpoint begins with https://", "Webhook エンドポイントの URL は https:// で始めてください"),
    (
        "the address is not public, or not among those that the operator allows",
        "アドレスが公開されたものでないか、運用者が許可したものではありません",
    ),
    (
        "there is no event type {name}; docs/api.md lists them",
        "{name} という種類のイベントはありません。docs/api.md に一覧があります",
    ),
    ("the range ends before it begins", "範囲の終わりが始まりより前です"),
    ("a description has at most {most} characters", "説明は {most} 字以内です"),
)
