"""What commands say of what they did, in Japanese."""

from collections.abc import Sequence

TEMPLATES: Sequence[tuple[str, str]] = (
    ("Added. To work in it: {command} ...", "追加しました。このアカウントで作業するには：{command} ..."),
    ("Removed.", "削除しました。"),
    (
        "This is shown once: keep it where secrets are kept. Its id is {id}.",
        "表示されるのは今回だけです。秘密情報の保管場所に保存してください。ID は {id} です。",
    ),
    ("It expires at {time}.", "有効期限は {time} です。"),
    ("To end it: {command}", "無効にするには：{command}"),
    ("There is no API key. To make one: {command}", "API キーはありません。作るには：{command}"),
    (
        "Revoked: {name}. The next request with it is refused.",
        "{name} を無効にしました。このキーによる次のリクエストから拒否されます。",
    ),
    ("Added: {name}, {role}.", "{name}（{role}）を追加しました。"),
    ("From now on {name} is {role}.", "{name} の役割を {role} に変えました。"),
    ("Removed: {name}, with their API keys.", "{name} とその API キーを削除しました。"),
    ("{name} is told from now on: {url}", "{name} に今後通知します：{url}"),
    ("To send a test message: {command}", "テストメッセージを送るには：{command}"),
    (
        "Nobody is told when something fails. To have somebody told: {command}",
        "障害が起きても誰にも通知されません。通知先を加えるには：{command}",
    ),
    ("{name} is not told any more.", "{name} にはもう通知しません。"),
    (
        "Rolled back: {domain} has the settings and credentials again that it had before.",
        "取り消しました。{domain} の設定とパスワードなどは以前のものに戻りました。",
    ),
    (
        "Discarded, and the credentials it came with. To take it up again: {command}",
        "破棄しました。一緒に渡されたパスワードなども破棄しました。再開するには：{command}",
    ),
    ("Approved. To put it in force: {command}", "承認しました。適用するには：{command}"),
    (
        "From now on a second person approves each change before it is applied.",
        "今後、変更の適用には別の人の承認が必要です。",
    ),
    ("Changes need no approval any more.", "変更に承認は必要なくなりました。"),
    ("Nobody waits for settings.", "設定を待っている人はいません。"),
    ("Dismissed: {address} does not wait any more.", "{address} を待ち状態から外しました。"),
    (
        "Saved as change {id}. To verify and see it: {command}",
        "変更 {id} として保存しました。検証して見るには：{command}",
    ),
    ("Cancelled. To verify it: {command}", "中止しました。検証するには：{command}"),
    ("A draft again. To verify it: {command}", "再開しました。検証するには：{command}"),
    (
        "{added} added, {updated} updated, {unchanged} unchanged.",
        "追加 {added} 件、更新 {updated} 件、変更なし {unchanged} 件。",
    ),
    (
        "Stored credentials replaced, and gone: {names}.",
        "保存済みのパスワードなどを置き換えました（元には戻せません）：{names}",
    ),
    ("{names} and {count} more", "{names} ほか {count} 件"),
    ("No mailbox. To add some: {command}", "メールボックスはありません。追加するには：{command}"),
    (
        "Removed, and their credentials are gone: {count}.",
        "メールボックス {count} 件とそのパスワードなどを削除しました。",
    ),
    (
        "{count} rejections forgotten; the next verification tries these mailboxes again.",
        "拒否の記録 {count} 件を消しました。次の検証でこれらのメールボックスを再び試します。",
    ),
    ("Paused: nobody watches it.", "一時停止しました。監視しません。"),
    ("It was paused already.", "すでに一時停止しています。"),
    ("To watch it again: {command}", "監視を再開するには：{command}"),
    ("It is watched again.", "監視を再開しました。"),
    ("It was not paused.", "一時停止していませんでした。"),
    ("There are more; to go on: {command}", "続きがあります。続きを見るには：{command}"),
    ("The database is up to date.", "データベースは最新です。"),
    (
        "Removed: {name}, with {mailboxes} mailboxes and {changes} changes.",
        "{name} を削除しました（メールボックス {mailboxes} 件、変更 {changes} 件）。",
    ),
    ("{count} credentials encrypted with the first key.", "{count} 件のパスワードなどを先頭の鍵で暗号化しました。"),
)
