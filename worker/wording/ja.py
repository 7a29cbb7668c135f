"""What reports of changes and of health say in Japanese, besides what codes mean: that is in `checks.messages`."""

from checks.language import Texts

REPORT: Texts = {
    "verdict.unsafe": "{domain} のメールボックス {total} 件のうち {disconnect} 件が切断されます。",
    "verdict.unsafe.unclear": "ほかに {unclear} 件は判定できませんでした。",
    "verdict.safe": "切断されるメールボックスはありません。",
    "verdict.safe.all": "{domain} のメールボックス {total} 件すべてを確認しました。",
    "verdict.cannot_tell": "{domain} のメールボックス {total} 件のうち {unclear} 件は判定できませんでした。",
    "verdict.empty.ok": (
        "{domain} のメールボックスは登録されていないため、1 件も試していません。"
        "サーバーには接続できますが、切断されるものがあるかは判定できません。"
    ),
    "verdict.empty.fail": (
        "サーバーに接続できません。{domain} のメールボックスは登録されていないため、1 件も試していません。"
    ),
    "verdict.empty.inconclusive": (
        "サーバーに接続できるか判定できませんでした。"
        "{domain} のメールボックスは登録されていないため、1 件も試していません。"
    ),
    "service.mail": "メール",
    "service.calendar": "カレンダー",
    "impact.keeps_working": "そのまま使える {count} 件",
    "impact.will_disconnect": "切断される {count} 件",
    "impact.will_reconnect": "再び接続される {count} 件",
    "impact.already_disconnected": "すでに切断済み {count} 件",
    "impact.cannot_tell": "判定できない {count} 件",
    "suspect": "{count} 件が同じ理由で失敗しています。共通の原因が考えられます：",
    "suspect.mailboxes": (
        "これほど多くの件数が一度に失敗するのは、持ち主の誤りではないことがほとんどです。"
        "サーバーは正しいか、このユーザー名の形式で受け付けるかを確認してください。"
    ),
    "left": "{count} 件は試していません。中止の原因を解消してから続けるには：",
    "next.safe": "この設定を適用するには：",
    "next.unsafe": "設定を直して、もう一度検証してください。それでも適用するには：",
    "next.cannot_tell": "後でもう一度検証してください。それでも適用するには：",
    "next.empty": (
        "ドメイン名は正しいですか。正しければ --mailboxes FILE を付けてもう一度検証してください。それでも適用するには："
    ),
    "next.approve": "適用の前に、この変更を保存した人とは別の人の承認が必要です。承認するには：",
    "next.resume": ("試していないメールボックスがなくなれば適用できます。続きを試すか、もう一度検証してください。"),
    "next.again": "この変更を適用するには、もう一度検証が必要です。検証するには：",
    "next.rollback": "この設定は適用中です。以前の設定に戻すには：",
    "next.reopen": "この変更は破棄されたか、新しい変更に置き換えられました。再開するには：",
    "next.none": "この設定は現在適用されていません。もう一度試すには、新しい変更として検証してください。",
    "api.left": "{count} 件は試していません。中止の原因を解消してから続けてください。",
    "api.next.safe": "この設定を適用できます。",
    "api.next.unsafe": "設定を直して、保存し直してください。それでも適用するには、切断される件数の指定が必要です。",
    "api.next.cannot_tell": "後でもう一度検証してください。このまま適用することもできます。",
    "api.next.empty": (
        "ドメイン名は正しいですか。正しければ、メールボックスを付けて設定を保存し直してください。"
        "このまま適用することもできます。"
    ),
    "api.next.approve": "適用の前に、この変更を保存した人とは別の人の承認が必要です。",
    "api.next.resume": ("試していないメールボックスがなくなれば適用できます。続きを試すか、もう一度検証してください。"),
    "api.next.again": "この変更を適用するには、もう一度検証が必要です。",
    "api.next.rollback": "この設定は適用中です。以前の設定に戻すことができます。",
    "api.next.reopen": "この変更は破棄されたか、新しい変更に置き換えられました。再開できます。",
    "api.next.none": "この設定は現在適用されていません。もう一度試すには、新しい変更として保存してください。",
}

HEALTH: Texts = {
    "health.healthy": "{domain} は正常です。",
    "health.failing": "{domain} に障害があります。",
    "health.unknown": "{domain} の状態は不明です。",
    "health.paused": "{domain} は一時停止中のため、監視していません。",
    "health.maintenance": "{domain} はメンテナンス中のため、監視していません。",
    "health.not_configured": "{domain} には適用中の設定がないため、何も確認していません。",
    "health.paused.since": "{time} から停止中。監視を再開するには：",
    "health.maintenance.until": "{start} から {end} まで（{id}）。{note}",
    "health.trouble": (
        "このサービス自体に障害があり、運用者に通知済みです。"
        "ここで障害に見えるものは、お客様側の問題ではない可能性があります。"
    ),
    "health.short.healthy": "正常",
    "health.short.failing": "障害あり",
    "health.short.unknown": "不明",
    "health.short.paused": "一時停止中",
    "health.short.maintenance": "メンテナンス中",
    "health.short.not_configured": "設定なし",
    "health.line.incidents": "継続中の障害 {count} 件",
    "health.line.notices": "お知らせ {count} 件",
    "health.line.mailboxes": "メールボックス：{counts}",
    "health.total": "ドメイン {count} 件（{states}）",
    "health.endpoint.ok": "{time} から接続できます",
    "health.endpoint.fail": "{time} から接続できません",
    "health.endpoint.silent": "{time} から明確な応答がありません",
    "health.endpoint.unknown": "不明",
    "health.never": "まだ確認していません。",
    "health.stale": (
        "長時間確認されていません。`mail-preflight serve`、または beat と `health` のワーカーが動いていますか。"
    ),
    "health.begun": "{count} 回続けて正常ではありませんでした。まだ確定していません。",
    "health.recovering": "{count} 回続けて正常でした。まだ確定していません。",
    "health.since": "{time} から",
    "health.mailboxes": "接続中 {connected}、切断中 {disconnected}、不明 {unknown}",
    "health.incident.span": "{start} から {end} まで。",
    "health.incident.since": "{time} から。",
    "health.incident.recovered": "{time} に復旧しました。しばらく安定すれば終了とします。",
    "health.incident.reopened": "{count} 回再発しました。",
    "health.incident.domains": "ドメイン：{names}",
    "scope.endpoint": "サーバー",
    "scope.server": "複数ドメインのサーバー",
    "scope.mailbox": "メールボックス",
    "scope.mailboxes": "複数のメールボックス",
    "scope.source": "接続元 IP アドレス",
    "scope.service": "このサービス",
    "scope.notice": "事前のお知らせ",
    "severity.critical": "重大",
    "severity.warning": "警告",
    "severity.info": "情報",
    "health.nobody": "障害が起きても誰にも通知されません。通知先を追加するには：",
    "health.told": "障害の通知先：{names}",
}

WORDS: Texts = {**REPORT, **HEALTH}
