"""The mailboxes of a domain."""

from checks.language import Texts

WORDS: Texts = {
    "mailboxes.heading": "{domain} のメールボックス",
    "mailboxes.search": "メールボックスを検索",
    "mailboxes.filter": "表示するメールボックス",
    "mailboxes.all": "すべて（{count}）",
    "mailboxes.address": "アドレス",
    "mailboxes.credential": "認証情報",
    "mailboxes.state.connected": "接続",
    "mailboxes.state.disconnected": "切断",
    "mailboxes.state.unknown": "不明",
    "mailboxes.kind.password": "パスワード",
    "mailboxes.kind.oauth2_token": "OAuth トークン",
    "mailboxes.kind.oauth2_client": "OAuth アプリケーション",
    "mailboxes.kind.none": "なし",
    "mailboxes.none": "該当するメールボックスはありません。",
    "mailboxes.remove": "選択したものを削除",
    "mailboxes.retry": "拒否されたものを再試行",
    "mailboxes.retry.hint": "サーバーに拒否された認証情報は、ロックを避けるため自動では再試行しません。",
    "mailboxes.import": "メールボックスの取り込み",
    "mailboxes.import.button": "取り込む",
    "mailboxes.file": "CSV ファイル",
    "mailboxes.rows": "または内容を貼り付け",
    "mailboxes.rows.hint": "1 行目は列名です：address,password、必要に応じて username と kind。パスワードは暗号化して保存され、表示されません。",
    "mailboxes.imported": "追加 {added} 件、認証情報の更新 {updated} 件、変更なし {unchanged} 件。",
    "mailboxes.said.removed": "メールボックスを認証情報とともに削除しました。",
    "mailboxes.said.retry": "再試行します。",
}
