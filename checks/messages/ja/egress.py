"""The request to a firewall's people, in Japanese. See `checks.messages.firewall_request`."""

from checks.language import Texts

WORDS: Texts = {
    "request.subject": "【ファイアウォール設定のお願い】{domain} のメールサーバーへの接続許可",
    "request.explanation": (
        "貴組織で利用中のアプリケーションは、利用者に代わって {domain} のメールを送受信します。"
        "メールサーバーへの接続には、本サービス専用の固定アドレスを使用します。"
        "ファイアウォールなど、接続元を制限している機器やソフトウェアで、これらのアドレスを許可する必要があります。"
        "本サービスの他のアドレスを許可する必要はありません。"
        "接続は TLS で暗号化され、常に本サービス側から開始されます。"
        "各メールボックスには、利用者本人のログイン情報で接続します。"
    ),
    "request.opening": "{domain} のメールサーバーへの、次の TCP 接続の許可をお願いいたします。",
    "request.sources": "接続元アドレス:",
    "request.targets": "接続先ホストと TCP ポート:",
    "request.target": "{host} ポート {port} ({protocol})",
    "request.rule": (
        "プロトコル: TCP（送信元ポートは任意）。接続は接続元アドレス側から開始されます。"
        "使用するアドレスはその都度変わるため、すべてのアドレスの許可をお願いいたします。"
    ),
    "request.blocked": "前回の検証では、次のアドレスからの接続が許可されていませんでした: {addresses}",
    "request.lists": (
        "アドレス単位で接続を遮断または制限する仕組み（fail2ban、侵入防止システム、メールサーバーの接続数制限など）でも、"
        "これらのアドレスを許可リストに追加してください。少数のアドレスから多数のメールボックスに接続します。"
    ),
}
