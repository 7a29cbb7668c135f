"""What is said of an endpoint besides its codes, in Japanese. See `checks.messages.endpoints`."""

from checks.language import Texts

WORDS: Texts = {
    "endpoint.ok": "接続できます",
    "endpoint.fail": "接続できません",
    "endpoint.inconclusive": "判定できません",
    "place.no_login": "ログインなし",
    "step.resolve": "名前解決",
    "step.connect": "接続",
    "step.tls": "TLS",
    "step.starttls": "STARTTLS",
    "step.greeting": "応答の開始",
    "step.capabilities": "機能の確認",
    "step.request": "要求",
    "step.authentication": "認証方式",
    "step.allowed": "（オプションにより許可）",
    "exchange.typed": "入力された {typed} を {url} として使用します",
    "option.needed": "このサーバーには「安全でない証明書を許可」が必要です。オフのままでは誰も接続できません。",
    "option.until": (
        "許可されるのは現在の鍵だけです。{date} までに新しい鍵に替わり、再度の検証と適用が必要になる見込みです。"
    ),
    "option.not_needed": "このサーバーに「安全でない証明書を許可」は不要です。オフにしてください。",
    "option.needed_elsewhere": (
        "このサーバーに「安全でない証明書を許可」は不要ですが、同じ設定の別のサーバーに必要です。この設定はすべてのサーバーに適用されます。"
    ),
    "option.would_not_help": "このサーバーでは「安全でない証明書を許可」をオンにしても解決しません。",
    "source.shared": "共有アドレス",
    "source.shared_as": "{source}（共有）",
    "admission.admitted": "許可されています",
    "admission.refused": "拒否: 接続がただちに拒否されました",
    "admission.dropped": "破棄: 応答がまったくありません（ファイアウォールによる破棄と思われます）",
    "admission.closed": "切断: 接続後、何も送られないまま切断されました",
    "admission.silent": "無応答: 接続後、何も送られてきません",
    "admission.blocked": "遮断: サーバーがそのように応答しました",
    "admission.busy": "保留: 後で接続するよう、サーバーに求められました",
    "admission.banned": "途中で遮断: 最初は許可され、その後は許可されなくなりました",
    "admission.no_family": "未検証: サーバーにこの種類のアドレスがありません",
    "admission.not_here": "未検証: 検証を行うマシンにこのアドレスがありません",
    "admission.unreachable": "未検証: このアドレスからのネットワーク経路がありません",
    "judged": "証明書の検証: {openssl}",
    "judged.strictly": "証明書の検証: {openssl}（Python 3.13 以降の厳格な規則）",
    "large_hello.not_tested": (
        "未検証: OpenSSL 3.5 以降のアプリが送る、複数パケットの最初の TLS メッセージ（{openssl} は送信できません）"
    ),
}
