"""Settings beside each other."""

from checks.language import Texts

WORDS: Texts = {
    "comparison.setting": "設定項目",
    "comparison.before": "適用中",
    "comparison.after": "変更後",
    "comparison.then": "検証時に適用中",
    "comparison.now": "現在適用中",
    "comparison.nothing": "なし",
    "comparison.changed": "変更あり",
    "comparison.kind": "種類",
    "comparison.kind.imap": "IMAP と SMTP",
    "comparison.kind.exchange": "Exchange（EWS）",
    "comparison.imap.host": "IMAP ホスト",
    "comparison.imap.port": "IMAP ポート",
    "comparison.imap.security": "IMAP の暗号化",
    "comparison.smtp.host": "SMTP ホスト",
    "comparison.smtp.port": "SMTP ポート",
    "comparison.smtp.security": "SMTP の暗号化",
    "comparison.smtp.authentication": "SMTP のログイン",
    "comparison.exchange.url": "Exchange のアドレス",
    "comparison.allow_insecure_certificate": "安全でない証明書を許可",
    "comparison.ca_pem": "このドメインの CA",
    "comparison.security.auto": "ポートに応じて自動",
    "comparison.security.tls": "TLS",
    "comparison.security.starttls": "STARTTLS",
    "comparison.login": "ログインあり",
    "comparison.no_login": "ログインなし",
    "comparison.on": "オン",
    "comparison.off": "オフ",
    "comparison.certificates": "{count} 件",
}
