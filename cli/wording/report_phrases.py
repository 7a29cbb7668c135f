"""The command's own words in every language: headings, labels, progress. A report comes worded."""

from checks.language import Language, Phrases, Texts
from cli.wording import health_phrases

_EN: Texts = {
    "stopped": "Stopped early:",
    "heading.servers": "Servers",
    "heading.causes": "Why",
    "heading.will_disconnect": "Would disconnect",
    "heading.cannot_tell": "Cannot tell",
    "heading.chain": "Certificates the server presented",
    "heading.counts": "All mailboxes",
    "heading.next": "What next",
    "seen": "Seen:",
    "seen.server": "In the server's own words:",
    "advice": "What to do:",
    "field": "Form field to look at:",
    "warning": "Warning:",
    "fix": "What would repair it:",
    "certificate": "Certificate warning:",
    "chain.valid": "valid {not_before} to {not_after}",
    "chain.issuer": "issued by {issuer}",
    "who": "Who acts:",
    "heading.left": "Not tried",
    "more": "and {count} more: --json lists all",
    "progress.queued": "Waiting for a worker",
    "progress.servers": "Servers",
    "progress.mailboxes": "Mailboxes",
    "progress.counts": "{ok} ok, {fail} fail, {inconclusive} inconclusive",
    "progress.rate": "{rate}/s",
    "progress.line": "{stage}: {done} of {total}, {rate}/s, {counts}",
}

_JA: Texts = {
    "stopped": "途中で中止しました：",
    "heading.servers": "サーバー",
    "heading.causes": "原因",
    "heading.will_disconnect": "切断されるメールボックス",
    "heading.cannot_tell": "判定できないメールボックス",
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
    "more": "ほか {count} 件：--json ですべて表示します",
    "progress.queued": "ワーカーを待っています",
    "progress.servers": "サーバー",
    "progress.mailboxes": "メールボックス",
    "progress.counts": "成功 {ok}、失敗 {fail}、不明 {inconclusive}",
    "progress.rate": "{rate} 件/秒",
    "progress.line": "{stage}：{total} 件中 {done} 件、{rate} 件/秒、{counts}",
}

phrase = Phrases({Language.EN: {**_EN, **health_phrases.EN}, Language.JA: {**_JA, **health_phrases.JA}})
