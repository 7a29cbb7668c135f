"""The own words of `mail-preflight health` in every language; `cli.wording.report_phrases` has them among its own."""

from checks.language import Texts

EN: Texts = {
    "health.no_domains": "There is no domain yet. `mail-preflight verify DOMAIN ...` saves settings for one.",
    "health.checked": "Last checked:",
    "health.available": "Available",
    "health.latency": "Latency",
    "health.hours": "24 h",
    "health.days": "{days} days",
    "health.unclear": "without a clear answer: {count}",
    "health.ms": "{low} to {high} ms, {longest} at most",
    "health.notice": "Ahead of time:",
    "heading.health_mailboxes": "Mailboxes",
    "heading.disconnected": "Disconnected",
    "heading.incidents": "Open incidents",
    "heading.incidents_past": "Incidents of the last 7 days",
    "heading.alerts": "Alerts",
    "health.more": "and {count} more",
}

JA: Texts = {
    "health.no_domains": "ドメインはまだありません。`mail-preflight verify DOMAIN ...` で設定を保存できます。",
    "health.checked": "最終確認：",
    "health.available": "可用性",
    "health.latency": "応答時間",
    "health.hours": "24 時間",
    "health.days": "{days} 日",
    "health.unclear": "判定不能 {count} 回",
    "health.ms": "{low}～{high} ミリ秒、最大 {longest}",
    "health.notice": "事前のお知らせ：",
    "heading.health_mailboxes": "メールボックスの状態",
    "heading.disconnected": "切断中",
    "heading.incidents": "継続中の障害",
    "heading.incidents_past": "過去 7 日間の障害",
    "heading.alerts": "アラート",
    "health.more": "ほか {count} 件",
}
