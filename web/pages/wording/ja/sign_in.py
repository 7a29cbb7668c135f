"""Signing in, and setting a password."""

from checks.language import Texts

WORDS: Texts = {
    "sign_in.heading": "サインイン",
    "sign_in.account": "アカウント",
    "sign_in.name": "ユーザー名",
    "sign_in.name.hint": "メールアドレスなど。このサービスの特権管理者になります。",
    "sign_in.password": "パスワード",
    "sign_in.password.hint": "{count} 文字以上。記号よりも、いくつかの単語をつなげる方が覚えやすくなります。",
    "sign_in.again": "パスワード（確認）",
    "sign_in.not_the_same": "2 つのパスワードが一致しません。",
    "sign_in.button": "サインイン",
    "sign_in.wrong": "サインインできませんでした。ユーザー名とパスワードの組み合わせが正しくないか、試行回数が多すぎます。後者の場合は 1 分ほどお待ちください。",
    "sign_in.forgotten": "パスワードがない場合や忘れた場合は、特権管理者にリンクを依頼してください。",
    "sign_in.unsafe": "パスワードが暗号化されずに送信されるため、入力を受け付けません。https で開くか、サービスと同じマシンで開いてください。プロキシを使う場合は MAIL_PREFLIGHT_WEB_TRUSTED_PROXIES に指定してください。",
    "sign_in.set_up.heading": "パスワードの設定",
    "sign_in.set_up.first": "最初の利用者です。",
    "sign_in.set_up.user": "{name} さんのパスワードを設定します。開いているセッションはすべて終了します。",
    "sign_in.set_up.button": "パスワードを設定",
    "sign_in.said.set_up": "パスワードを設定し、サインインしました。",
    "sign_in.said.out": "サインアウトしました。",
}
