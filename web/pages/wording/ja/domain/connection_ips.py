"""From where mail servers are connected to."""

from checks.language import Texts

WORDS: Texts = {
    "connection_ips.nav": "接続元 IP",
    "connection_ips.heading": "接続元 IP アドレス",
    "connection_ips.lead": "メールサーバーに接続するときの接続元アドレスです。ファイアウォールや許可リストで許可する必要があります。",
    "connection_ips.addresses": "アドレスと範囲",
    "connection_ips.shared": "共有アドレス",
    "connection_ips.shared.hint": "固定アドレスを使用しないすべてのドメインで使われます。",
    "connection_ips.shared.none": "まだ分かっていません。",
    "connection_ips.incomplete": "ほかにもある可能性があります。アドレスはシステムが選択し、固定されていません。本サービスの運用者にお問い合わせください。",
    "connection_ips.static": "固定アドレス",
    "connection_ips.static.hint": "設定で使用を選択したドメインだけで使われます。",
    "connection_ips.static.unused": "固定アドレスがあります。ドメインで使用するか、使用する変更を保存すると表示されます。",
    "connection_ips.static.none": "本サービスには固定アドレスがありません。",
    "connection_ips.domains": "使用しているドメイン：",
    "connection_ips.in_use": "固定アドレスから接続します。",
    "connection_ips.to_request": "ファイアウォールへの依頼文",
    "connection_ips.request.heading": "{domain} のファイアウォールへの依頼文",
    "connection_ips.request.hint": "サーバー、ポート、アドレスを含む文章を、英語と日本語で作成します。",
    "connection_ips.request.button": "依頼文を表示",
    "connection_ips.request.static": "ファイアウォールの管理者向けの、許可する内容です。このドメインは固定アドレスを使用するか、使用する変更が保存されています。",
    "connection_ips.request.shared": "ファイアウォールの管理者向けの、許可する内容です。このドメインは共有アドレスを使用します。",
    "connection_ips.request.blocked": "前回のテストで許可されなかったアドレス：{addresses}",
    "connection_ips.request.in": "依頼文：",
    "connection_ips.subject": "件名",
    "connection_ips.text": "本文",
    "connection_ips.explain": "IT 担当者向けの説明",
    "connection_ips.targets": "サーバーとポート",
    "connection_ips.your_domain": "貴ドメイン",
    "connection_ips.admissions": "接続元アドレスごとの結果",
}
