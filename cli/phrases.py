"""The report's own words in every language. What a code means is worded in `checks.messages`, not here."""

from collections.abc import Mapping

from checks.messages import Language
from cli import health_phrases

_EN: Mapping[str, str] = {
    "between.sentences": " ",
    "between.items": ", ",
    "verdict.unsafe": "{disconnect} of {total} mailboxes of {domain} would disconnect.",
    "verdict.unsafe.unclear": "For {unclear} more we could not tell.",
    "verdict.safe": "Nobody would disconnect.",
    "verdict.safe.all": "All {total} mailboxes of {domain} were looked at.",
    "verdict.cannot_tell": "Could not tell for {unclear} of {total} mailboxes of {domain}.",
    "verdict.empty.ok": "The servers work. No mailbox of {domain} is known yet, so nobody would disconnect.",
    "verdict.empty.fail": "The servers do not work. No mailbox of {domain} is known yet.",
    "verdict.empty.inconclusive": "Could not tell whether the servers work. No mailbox of {domain} is known yet.",
    "stopped": "Stopped early:",
    "heading.servers": "Servers",
    "heading.causes": "Why",
    "heading.will_disconnect": "Would disconnect",
    "heading.cannot_tell": "Cannot tell",
    "heading.chain": "Certificates the server presented",
    "heading.counts": "All mailboxes",
    "heading.next": "What next",
    "endpoint.ok": "works",
    "endpoint.fail": "does not work",
    "endpoint.inconclusive": "could not tell",
    "step.resolve": "find the address",
    "step.connect": "connect",
    "step.tls": "TLS",
    "step.starttls": "STARTTLS",
    "step.greeting": "greeting",
    "step.capabilities": "capabilities",
    "step.request": "request",
    "step.authentication": "login methods",
    "exchange.typed": "You typed {typed}; what is used is {url}",
    "service.mail": "mail",
    "service.calendar": "calendar",
    "seen": "Seen:",
    "seen.server": "In the server's own words:",
    "advice": "What to do:",
    "field": "Form field to look at:",
    "warning": "Warning:",
    "fix": "What would repair it:",
    "certificate": "Certificate warning:",
    "option.needed": "the option “allow insecure certificate” is needed for this server; without it nobody connects.",
    "option.not_needed": "The option “allow insecure certificate” is not needed for this server; untick it.",
    "option.would_not_help": "The option “allow insecure certificate” would not help with this server.",
    "chain.valid": "valid {not_before} to {not_after}",
    "chain.judged": "Certificates judged by {openssl}.",
    "chain.judged_strictly": "Certificates judged by {openssl}, with the strict rules of Python 3.13 and later.",
    "large_hello.not_tested": (
        "Not tested: a first TLS message of several packets, as apps with OpenSSL 3.5 or later send it;"
        " {openssl} sends none."
    ),
    "chain.issuer": "issued by {issuer}",
    "who": "Who acts:",
    "blame.nobody": "nobody",
    "blame.settings": "the admin, who typed the settings",
    "blame.server": "whoever runs the mail server",
    "blame.mailbox": "the mailbox's owner",
    "blame.network": "whoever runs the network between us and the server",
    "blame.us": "the operator of this service",
    "impact.keeps_working": "{count} keep working",
    "impact.will_disconnect": "{count} would disconnect",
    "impact.will_reconnect": "{count} would connect again",
    "impact.already_disconnected": "{count} are disconnected already",
    "impact.cannot_tell": "{count} cannot be told",
    "suspect": "{count} mailboxes fail alike, so one common cause is likely:",
    "suspect.mailboxes": (
        "So many at once are rarely their owners' mistake. Is it the right server, and does it take these user names?"
    ),
    "heading.left": "Not tried",
    "left": "{count} mailboxes were not tried. To go on with them, when what stopped it is mended:",
    "more": "and {count} more: --json lists all",
    "next.safe": "Put the settings in force:",
    "next.unsafe": "Correct the settings and verify again. To put them in force all the same:",
    "next.cannot_tell": "Verify again later. To put the settings in force all the same:",
    "progress.queued": "Waiting for a worker",
    "progress.servers": "Servers",
    "progress.mailboxes": "Mailboxes",
    "progress.counts": "{ok} ok, {fail} fail, {inconclusive} inconclusive",
    "progress.rate": "{rate}/s",
    "progress.line": "{stage}: {done} of {total}, {rate}/s, {counts}",
}

_JA: Mapping[str, str] = {
    "between.sentences": "",
    "between.items": "、",
    "verdict.unsafe": "{domain} のメールボックス {total} 件のうち {disconnect} 件が切断されます。",
    "verdict.unsafe.unclear": "ほかに {unclear} 件は判定できませんでした。",
    "verdict.safe": "切断されるメールボックスはありません。",
    "verdict.safe.all": "{domain} のメールボックス {total} 件すべてを確認しました。",
    "verdict.cannot_tell": "{domain} のメールボックス {total} 件のうち {unclear} 件は判定できませんでした。",
    "verdict.empty.ok": (
        "サーバーには接続できます。{domain} のメールボックスはまだ登録されていないため、切断されるものはありません。"
    ),
    "verdict.empty.fail": "サーバーに接続できません。{domain} のメールボックスはまだ登録されていません。",
    "verdict.empty.inconclusive": (
        "サーバーに接続できるか判定できませんでした。{domain} のメールボックスはまだ登録されていません。"
    ),
    "stopped": "途中で中止しました：",
    "heading.servers": "サーバー",
    "heading.causes": "原因",
    "heading.will_disconnect": "切断されるメールボックス",
    "heading.cannot_tell": "判定できないメールボックス",
    "heading.chain": "サーバーが提示した証明書",
    "heading.counts": "全メールボックス",
    "heading.next": "次の操作",
    "endpoint.ok": "接続できます",
    "endpoint.fail": "接続できません",
    "endpoint.inconclusive": "判定できません",
    "step.resolve": "名前解決",
    "step.connect": "接続",
    "step.tls": "TLS",
    "step.starttls": "STARTTLS",
    "step.greeting": "応答の開始",
    "step.capabilities": "機能の確認",
    "step.request": "要求",
    "step.authentication": "認証方式",
    "exchange.typed": "入力された {typed} を {url} として使用します",
    "service.mail": "メール",
    "service.calendar": "カレンダー",
    "seen": "確認された内容：",
    "seen.server": "サーバーの応答：",
    "advice": "対処：",
    "field": "確認する入力欄：",
    "warning": "警告：",
    "fix": "修復方法：",
    "certificate": "証明書の警告：",
    "option.needed": "このサーバーには「安全でない証明書を許可」が必要です。オフのままでは誰も接続できません。",
    "option.not_needed": "このサーバーに「安全でない証明書を許可」は不要です。オフにしてください。",
    "option.would_not_help": "このサーバーでは「安全でない証明書を許可」をオンにしても解決しません。",
    "chain.valid": "有効期間 {not_before} から {not_after}",
    "chain.judged": "証明書の検証: {openssl}",
    "chain.judged_strictly": "証明書の検証: {openssl}（Python 3.13 以降の厳格な規則）",
    "large_hello.not_tested": (
        "未検証: OpenSSL 3.5 以降のアプリが送る、複数パケットの最初の TLS メッセージ（{openssl} は送信できません）"
    ),
    "chain.issuer": "発行者 {issuer}",
    "who": "対応する人：",
    "blame.nobody": "なし",
    "blame.settings": "設定を入力した管理者",
    "blame.server": "メールサーバーの管理者",
    "blame.mailbox": "メールボックスの持ち主",
    "blame.network": "途中のネットワークの管理者",
    "blame.us": "このサービスの運用者",
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
    "heading.left": "試していないメールボックス",
    "left": "{count} 件は試していません。中止の原因を解消してから続けるには：",
    "more": "ほか {count} 件：--json ですべて表示します",
    "next.safe": "この設定を適用するには：",
    "next.unsafe": "設定を直して、もう一度検証してください。それでも適用するには：",
    "next.cannot_tell": "後でもう一度検証してください。それでも適用するには：",
    "progress.queued": "ワーカーを待っています",
    "progress.servers": "サーバー",
    "progress.mailboxes": "メールボックス",
    "progress.counts": "成功 {ok}、失敗 {fail}、不明 {inconclusive}",
    "progress.rate": "{rate} 件/秒",
    "progress.line": "{stage}：{total} 件中 {done} 件、{rate} 件/秒、{counts}",
}

PHRASES: Mapping[Language, Mapping[str, str]] = {
    Language.EN: {**_EN, **health_phrases.EN},
    Language.JA: {**_JA, **health_phrases.JA},
}


def phrase(language: Language, key: str, **values: object) -> str:
    """The text of `key` with its values filled in. A key that no table has is a programming error (`KeyError`)."""
    return PHRASES[language][key].format(**values)


def step_name(language: Language, name: str) -> str:
    """A step's name for people; the name itself where there is no other word for it."""
    return PHRASES[language].get(f"step.{name}", name)
