"""Settings that were found."""

from checks.language import Texts

WORDS: Texts = {
    "finding.heading": "{domain} の設定を探す",
    "finding.settings": "設定",
    "finding.button": "設定を探す",
    "finding.button.hint": "ドメインが公開している情報を調べ、各サーバーを確認します。最大 30 秒ほどかかります。ログインは行いません。",
    "finding.looking": "{target} の設定を探しています。調べ終えた情報源から順に表示します。",
    "finding.source.found": "{source}：設定が見つかりました",
    "finding.source.nothing": "{source}：何も見つかりませんでした",
    "finding.failed": "設定を探す処理が、こちら側の問題で失敗しました。ドメインの問題ではありません。もう一度探してください。",
    "finding.again": "もう一度探す",
    "finding.back": "設定に戻る",
    "finding.target": "ドメインまたはメールアドレス",
    "finding.target.hint": "サーバーがアドレスごとに異なる場合は、アドレスを入力してください。アドレスはそのドメインのサーバーにのみ送信されます。",
    "finding.own": "ここで探せるのは {domain} の設定だけです。",
    "finding.by": "情報源：{source}",
    "finding.also": "同じ内容の情報源：{sources}",
    "finding.confidence": "確度：{words}",
    "finding.trusted": "信頼できます。",
    "finding.not_trusted": "信頼できません。",
    "finding.login": "ユーザー名",
    "finding.password": "パスワード",
    "finding.accept": "{host} を知っており、パスワードの送信先として承認します",
    "finding.not_accepted": "{hosts} を保証するものがありません。まずこのホストを承認するか、別の設定を選んでください。",
    "finding.take": "フォームに反映する",
    "finding.unusable": "動作しないサーバーが含まれるため、反映できません。",
    "finding.incomplete": "サーバーが不足しているため、反映できません。両方をフォームに入力してください。",
    "finding.findings": "ドメインの管理者への情報",
    "finding.asked": "調べた情報源：{count} 件（{seconds} 秒）",
}
