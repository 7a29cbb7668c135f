"""The words of alerts in Japanese."""

WORDS = {
    "what.endpoint": "{domain} の {protocol}（{host}）",
    "what.server": "{host}（{domains} ドメイン）",
    "what.mailbox": "メールボックス {address}",
    "what.mailboxes": "{domain} のメールボックス {mailboxes} 件",
    "what.source": "［運用者向け］{source} からの接続",
    "what.service": "［運用者向け］すべてのメールサーバー",
    "what.undone": "{domain} の変更",
    "what.notice": "{host}（{domain}）",
    "subject.opened": "障害：{what}",
    "subject.reminder": "障害継続中（再通知 {number} 回目）：{what}",
    "subject.resolved": "復旧：{what}",
    "subject.over": "障害（終了済み）：{what}",
    "subject.undone": "自動取り消し：{what}",
    "subject.ahead": "事前のお知らせ（要対応）：{what}",
    "subject.ahead_reminder": "事前のお知らせ（要対応、再通知 {number} 回目）：{what}",
    "subject.ahead_resolved": "事前のお知らせの解消：{what}",
    "subject.info": "お知らせ：{what}",
    "subject.digest": "アラート {count} 件のまとめ",
    "subject.test": "アラート通知先のテスト",
    "intro.reminder": "障害が {lasted} 続いています（再通知 {number} 回目）。",
    "intro.resolved": "復旧しました。障害は {lasted} 続きました。原因：",
    "intro.over": "お知らせする前に終了しました。関連する障害が続いている場合は、別途お知らせします。原因：",
    "intro.ahead_reminder": "以前お知らせした件が未対応です（再通知 {number} 回目）。",
    "intro.ahead_resolved": "この件は解消しました。",
    "intro.mailboxes": "複数のメールボックスが同じ原因で接続できません。",
    "intro.change": (
        "変更 {change} の適用後に始まりました。元に戻すには次を実行してください: mail-preflight rollback {change}"
    ),
    "intro.change_undone": (
        "変更 {change} は自動的に取り消されました。適用後、接続できるはずのメールボックス {total} 件中 {failing} 件が"
        "失敗したためです。以前の設定とパスワードが再び有効です。"
    ),
    "intro.source": (
        "{source} から確認しているすべてのサーバーで失敗していますが、ほかの送信元からは成功しています。この IP "
        "アドレス、またはその先のネットワークに問題があると考えられます。運用者だけに通知しています。最も多い原因："
    ),
    "intro.service": (
        "確認対象のほぼすべてが同時に失敗しています。メールサーバーではなく、本サービスまたはそのネットワークに問題があると"
        "考えられます。運用者だけに通知しています。最も多い原因："
    ),
    "seen": "確認された内容：{seen}",
    "since": "発生日時：{time}",
    "ended": "終了日時：{time}",
    "servers": "影響を受けるサーバー：{names}",
    "domains": "ドメイン：{names}",
    "mailbox": "メールボックス：{address}",
    "mailboxes": "影響を受けるメールボックス：{count} 件",
    "named": "（{names}）",
    "comma": "、",
    "and_more": " ほか {count} 件",
    "advice.source": "この IP アドレスが拒否されていないか、経路が変わっていないかを確認してください。",
    "advice.service": "本サービスの名前解決、経路、ファイアウォール、接続元 IP アドレスを確認してください。",
    "advice.undone": (
        "この原因を解消してから、設定をあらためて検証してください。経緯の確認: mail-preflight history {change}"
    ),
    "advice": "対応：{advice}",
    "reference": "参照番号：{reference}",
    "unknown": "不明",
    "any_source": "本サービスの既定の IP アドレス",
    "digest.head": "アラート {count} 件をまとめてお知らせします。",
    "digest.line": "  {when}：{sentence} {where}",
    "digest.more": "ほか {count} 件。",
    "test": (
        "これはアラート通知先「{channel}」のテストです。障害は発生していません。メールサーバーやメールボックスに関する"
        "アラートは、この通知先に届きます。"
    ),
    "day": "1 日",
    "days": "{count} 日",
    "hours": "{count} 時間",
    "minutes": "{count} 分",
    "blank": " ",
}
