"""プロバイダーがパスワードとして求めるもの。"""

from collections.abc import Mapping

HINTS: Mapping[str, str] = {
    "app_password": (
        "{provider}では、アカウントのパスワードは使えません。{url}でアプリパスワードを作成し、それを入力してください。"
    ),
    "app_password_with_two_steps": (
        "{provider}のアカウントで2段階認証が有効な場合は、アカウントのパスワードではなく、"
        "{url}で作成したアプリパスワードを入力してください。"
    ),
    "no_password": (
        "{provider}ではパスワードは使えません。プログラムはOAuthでのみ接続できます。管理者に接続を依頼してください。"
    ),
    "two_steps": "作成するには、先に2段階認証を有効にする必要があります。",
}
