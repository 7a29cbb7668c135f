"""A second person's approval."""

from checks.language import Texts

WORDS: Texts = {
    "approval.needed": "変更の適用には、別の人の承認が必要です。",
    "approval.switch_on": "別の人の承認を必要とする",
    "approval.switch_off": "承認を不要にする",
    "approval.said.on": "今後、このドメインの変更の適用には別の人の承認が必要です。",
    "approval.said.off": "このドメインの変更に承認は必要なくなりました。",
    "approval.awaits": "承認待ちです。",
    "approval.by_you": "適用の前に、別の人によるこのレポートの承認が必要です。この変更を保存したのは別の人なので、承認できます。",
    "approval.by_others": "この変更を保存した人とは別の人がこのレポートを承認するまで、適用できません。",
    "approval.older": "{who} が承認したのは以前のレポートのため、無効です。",
    "approval.button": "承認する",
    "approval.given": "承認者：{who}、",
    "approval.other_applies": "プログラムが保存した変更のため、承認した人とは別の人が適用してください。",
    "approval.said.approved": "変更を承認しました。適用できます。",
}
