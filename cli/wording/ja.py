"""The command's own words in Japanese: headings, labels, progress. A report comes worded."""

from checks.language import Texts

WORDS: Texts = {
    "stopped": "途中で中止しました：",
    "heading.servers": "サーバー",
    "client": "メールクライアントのプロファイル「{name}」の接続・ログイン方法で判定しています。",
    "heading.causes": "原因",
    "heading.will_disconnect": "切断されるメールボックス",
    "heading.cannot_tell": "判定できないメールボックス",
    "heading.already_disconnected": "すでに切断済みのメールボックス",
    "heading.will_reconnect": "再び接続されるメールボックス",
    "heading.chain": "サーバーが提示した証明書",
    "heading.counts": "全メールボックス",
    "heading.next": "次の操作",
    "seen": "確認された内容：",
    "seen.server": "サーバーの応答：",
    "advice": "対処：",
    "field": "確認する入力欄：",
    "warning": "警告：",
    "fix": "修復方法：",
    "certificate": "証明書の警告：",
    "chain.valid": "有効期間 {not_before} から {not_after}",
    "chain.issuer": "発行者 {issuer}",
    "who": "対応する人：",
    "heading.left": "試していないメールボックス",
    "more": "ほか {count} 件。すべて表示するには：",
    "progress.queued": "ワーカーを待っています",
    "progress.servers": "サーバー",
    "progress.mailboxes": "メールボックス",
    "progress.counts": "成功 {ok}、失敗 {fail}、不明 {inconclusive}",
    "progress.rate": "{rate} 件/秒",
    "progress.line": "{stage}：{total} 件中 {done} 件、{rate} 件/秒、{counts}",
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
    "changes.none": "このドメインの変更はまだ保存されていません。",
    "changes.saved": "{when} に {who} が保存",
    "changes.draft": "未検証",
    "changes.verifying": "検証中",
    "changes.verified": "検証済み",
    "changes.applied": "適用済み",
    "changes.discarded": "破棄済み",
    "changes.superseded": "新しい変更に置き換え済み",
    "changes.rolled_back": "取り消し済み",
    "applied": "{domain} に適用しました。メールボックス {count} 件が切断されます。",
    "applied.watched": "{minutes} 分間監視します。レポートより多く失敗した場合は{what}。",
    "applied.watched.undone": "自動的に取り消します",
    "applied.watched.noted": "履歴に記録し、管理者に通知します",
    "applied.unwatched": (
        "監視する者がいません。`mail-preflight serve` も、beat とワーカーも動いていません。"
        "監視しているときにレポートより多く失敗した場合は{what}。ここで監視するには: mail-preflight watch {id}"
    ),
    "applied.undo": "元に戻すには: mail-preflight rollback {id}",
    "watch.until": "{time} まで監視します。",
    "watch.rolled_back": "変更は取り消されました。以前の設定が再び有効です。",
    "watch.trouble": "変更は有効なままですが、問題があります：",
    "watch.over": "監視が終わりました。レポートより多くの失敗はありませんでした。",
    "watch.never": "この変更は監視されていません。監視なしで適用されたか、もう有効ではありません。",
    "watch.left": (
        "表示を終えました。変更は有効なままです。"
        "`mail-preflight serve` または `mail-preflight watch {id}` が動いている間、監視されます"
    ),
    "help.usage": "使い方: ",
    "help.options": "オプション",
    "help.arguments": "引数",
    "help.commands": "コマンド",
    "demo.sandbox": (
        "{domain} は体験用の環境です。このマシンで本物のメールサーバーが 2 台動き、旧サーバーに {count} "
        "件のメールボックスがあります。"
    ),
    "demo.begin": (
        "管理者が新サーバーの設定を保存しました。有効になる前に、"
        "すべてのメールボックスで新サーバーへのログインを試します。"
    ),
    "demo.end": (
        "何も有効にしていません。全員がまだ旧サーバーを使っています。体験用の環境とこの変更はすでに削除されています。"
    ),
    "demo.own": "ご自身のドメインで試すには（CSV ファイルの 1 行目は address,password です）：",
    "ends.in_force": "有効な設定とその監視",
    "ends.mailboxes": "メールボックス {count} 件とそのパスワードなど",
    "ends.changes": "変更 {count} 件とそのレポート",
    "ends.verifying": "進行中の検証 {count} 件",
    "ends.incidents": "継続中の障害 {count} 件",
    "ends.channels": "このドメインだけの通知先 {count} 件",
    "ends.members": "メンバー {count} 人とその API キー",
    "ends.webhooks": "このドメインだけの Webhook の送信先 {count} 件",
    "ends.nothing": "名前だけ",
}
