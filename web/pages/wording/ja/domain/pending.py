"""Those who wait for a domain's settings."""

from checks.language import Texts

WORDS: Texts = {
    "pending.heading": "設定待ち",
    "pending.lead": "設定がまだないドメインで、メールボックスの接続を希望している人です。設定を完成させてください。パスワードの送信先になるため、サーバー名を事前に確認してください。適用すると、ログインできる人は全員接続され、通知されます。",
    "pending.username": "ログイン名：{name}",
    "pending.by": "申請者：{who}",
    "pending.typed": "入力内容",
    "pending.typed.nothing": "サーバーの入力なし",
    "pending.came": "結果",
    "pending.works": "ログインできました。ログイン情報は保管されています。",
    "pending.worked": "ログインできましたが、ログイン情報は保管されていません。もう一度接続する必要があります。",
    "pending.untried": "試行していません。パスワードは保管されていません。",
    "pending.complete": "設定を完成させる",
    "pending.dismiss": "却下する",
    "pending.more": "新しい順に {count} 件を表示しています。処理すると残りが表示されます。",
    "pending.come_with_it": "設定待ちが {count} 件あります。ログイン情報が保管されている人はこの変更に含まれ、このサーバーで試行されます。",
    "pending.said.dismissed": "却下しました。保管されていた情報は削除されました。",
}
