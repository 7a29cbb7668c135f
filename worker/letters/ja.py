"""What letters say in Japanese: their sentences, and what each of them asks its reader to do about a code."""

from collections.abc import Mapping

from checks.codes import Code
from checks.language import Texts

WORDS: Texts = {
    "hello": "お世話になっております。",
    "thanks": "対応が済みましたら、設定をもう一度検証します。よろしくお願いいたします。",
    "what": "お願いしたいこと：",
    "change": "変更していただきたいこと：{text}",
    "seen": "確認された内容：{text}",
    "said": "サーバーの応答：{text}",
    "met": "ネットワークまたはライブラリの応答：{text}",
    "certificate": "証明書：{subject}、発行者 {issuer}、有効期間 {not_before} から {not_after}、SHA-256 {sha256}",
    "repair": "修復方法：{text}",
    "steps": "手順：{text}",
    "step": "{label}：{verdict}（{ms} ミリ秒）",
    "place": "{headline}（アドレス {address}）",
    "advice": "対処：{text}",
    "concerned": "該当するメールボックス：{count} 件（例：{examples}）",
    "code": "コード：{code}",
    "servers": "この設定のサーバー：",
    "from": "接続元：{addresses}",
    "from.none": ("接続元：アドレスは固定されていません。本サービスの運用者にお問い合わせください。"),
    "from.more": "接続元：{addresses}。ほかにもある可能性があるため、本サービスの運用者にお問い合わせください。",
    "step.ok": "成功",
    "step.fail": "失敗",
    "step.inconclusive": "明確な応答なし",
    # To the owners of mailboxes.
    "owners.subject": "{domain} のメールボックスについて、対応のお願い",
    "owners.intro.pending": (
        "{domain} のメールサーバーの設定が変更される予定です。新しい設定ですべてのメールボックスを確認したところ"
        "（{time}）、お使いのメールボックスには接続できませんでした。"
    ),
    "owners.intro.in_force": (
        "{domain} のメールサーバーの設定が変更されました。すべてのメールボックスを確認したところ（{time}）、"
        "お使いのメールボックスには接続できませんでした。"
    ),
    "owners.intro.given_up": (
        "{domain} の別のメールサーバーの設定ですべてのメールボックスを確認したところ（{time}）、"
        "お使いのメールボックスには接続できませんでした。"
    ),
    "owners.pending.will_disconnect": "新しい設定が適用されると、解決するまでメールボックスの接続が切れます。",
    "owners.pending.already_disconnected": "メールボックスは現在切断されており、解決するまで接続されません。",
    "owners.pending.cannot_tell": "解決するまで、メールボックスの接続が続くかどうかは判定できません。",
    "owners.in_force.will_disconnect": "解決するまで、メールボックスの接続は切れています。",
    "owners.in_force.already_disconnected": "メールボックスは以前から切断されており、解決するまで接続されません。",
    "owners.in_force.cannot_tell": "解決するまで、メールボックスが接続されているかどうかは判定できません。",
    "owners.given_up.will_disconnect": "この設定は適用されていません。",
    "owners.given_up.already_disconnected": "この設定は適用されていません。",
    "owners.given_up.cannot_tell": "この設定は適用されていません。",
    "owners.end": "この件でパスワードをお尋ねすることはありません。返信にパスワードを書かないでください。",
    # To who runs the mail server.
    "mail_admin.subject": "{domain} のメールサーバー：変更のお願い",
    "mail_admin.intro": (
        "{domain} のメールボックスに接続するアプリは、次のサーバーにログインします。同じ方法で確認したところ"
        "（{time}）、次のことがわかりました。"
    ),
    # To who runs the firewall.
    "firewall.subject": "{domain} のメールサーバーへの接続許可のお願い",
    "firewall.intro": (
        "{domain} のメールボックスに接続するアプリから、メールサーバーに正常に接続できません（確認日時 {time}）。"
        "経路上のファイアウォール、プロキシ、拒否リストのすべてで、次の接続を許可してください。"
    ),
    "firewall.to": "接続先（ホストと TCP ポート）：",
    "firewall.reached": "{place}、接続したアドレス {address}",
    # A ticket.
    "ticket.change": "変更：{id}",
    "ticket.tested": "検証日時：{time}",
    "ticket.checksum": "レポートのチェックサム：{checksum}",
    "ticket.servers": "サーバー",
    "ticket.causes": "原因",
    "ticket.who": "対応する人：{who}",
    "ticket.mailboxes": "切断されるメールボックス",
    "ticket.more": "ほか {count} 件",
    "ticket.counts": "全メールボックス",
    "ticket.next": "次の操作",
}

OWNERS: Mapping[Code, str] = {
    Code.AUTH_REJECTED: (
        "メールボックスを接続したアプリで、現在のパスワードを入力し直してください。"
        "あわせて、ユーザー名が正しいことと、{protocol} が有効であることを確認してください。"
    ),
    Code.AUTH_APP_PASSWORD: (
        "メールプロバイダーでアプリパスワードを作成し、メールボックスを接続したアプリに入力してください。"
    ),
    Code.AUTH_TOKEN_REJECTED: (
        "メールボックスを接続したアプリでもう一度サインインし、メールへのアクセスを許可してください。"
    ),
    Code.AUTH_POLICY: "お使いのメールボックスの {protocol} ログインの許可を、メール管理者に依頼してください。",
    Code.AUTH_WEB_LOGIN: "Web ブラウザーでメールプロバイダーにログインし、表示される警告を確認してください。",
    Code.AUTH_LOCKED: "メールプロバイダーでロックを解除するか、メール管理者に解除を依頼してください。",
    Code.AUTH_ACCOUNT_DISABLED: "メールボックスを再び有効にするかどうかを、メール管理者に確認してください。",
    Code.AUTH_EXPIRED: (
        "メールプロバイダーで新しいパスワードを設定し、メールボックスを接続したアプリに入力してください。"
    ),
    Code.AUTH_UNSENDABLE: (
        "ASCII の英数字と記号だけのパスワードに変更し、メールボックスを接続したアプリに入力してください。"
        "ユーザー名にほかの文字が含まれる場合は、メール管理者にお問い合わせください。"
    ),
    Code.AUTH_PROTOCOL_DISABLED: ("メールプロバイダーで {protocol} を有効にするか、メール管理者に依頼してください。"),
    Code.SMTP_SENDER_REFUSED: (
        "アドレスを所有するユーザー名でログインするか、"
        "現在のユーザー名にこのアドレスでの送信を許可するよう、メール管理者に依頼してください。"
    ),
    Code.MAILBOX_NO_INBOX: "メールボックスが作成済みか、移動されていないかを、メール管理者に確認してください。",
    Code.CREDENTIAL_MISSING: "メールボックスを接続するアプリで、パスワードを入力してください。",
    Code.MAILBOX_NOT_CONNECTED: (
        "ほかのメールソフトを数分間終了してください。解消しない場合は、"
        "このメールボックスを開く権限とライセンスがあるかを、メール管理者に確認してください。"
    ),
    Code.MAILBOX_FULL: "不要なメールを削除するか、メール管理者に容量の追加を依頼してください。",
    Code.EXCHANGE_MAILBOX_NOT_FOUND: (
        "メールボックスのアドレスを確認し、このサーバーに存在するかをメール管理者に確認してください。"
    ),
    Code.EXCHANGE_PRIMARY_ADDRESS: (
        "メールボックスのプライマリアドレスで接続してください。アドレスはメール管理者にご確認ください。"
    ),
    Code.EXCHANGE_ACCESS_DENIED: "このメールボックスへのアクセス権を、メール管理者に依頼してください。",
    Code.EXCHANGE_MAIL_DENIED: "メールフォルダーへのアクセス権を、メール管理者に依頼してください。",
    Code.EXCHANGE_CALENDAR_DENIED: "予定表へのアクセス権を、メール管理者に依頼してください。",
    Code.EXCHANGE_CALENDAR_MISSING: "予定表フォルダーの復元を、メール管理者に依頼してください。",
    Code.EXCHANGE_EWS_DISABLED: (
        "お使いのメールボックスとこのアプリで Exchange Web Services（EWS）を有効にするよう、"
        "メール管理者に依頼してください。"
    ),
    Code.EXCHANGE_IMPERSONATION: (
        "お使いのメールボックスに対する ApplicationImpersonation ロールをアプリに割り当てるよう、"
        "メール管理者に依頼してください。"
    ),
}
"""What the owner of a mailbox does about a code. Causes that are no owner's have none."""

_FULL_CHAIN = "この名前に対する公的な認証局の証明書を、中間証明書も含めて導入してください。"
_EWS = "/EWS/Exchange.asmx を、手前にログオンページや別の認証を置かずに、プログラムに公開してください。"

SERVERS: Mapping[Code, str] = {
    Code.CONNECT_SOME_ADDRESSES: "応答しないアドレスを修復するか、DNS から削除してください。",
    Code.TLS_NAME_MISMATCH: "このホスト名の証明書を導入するか、証明書が有効な名前をお知らせください。",
    Code.TLS_SELF_SIGNED: _FULL_CHAIN,
    Code.TLS_UNTRUSTED_ROOT: (
        "公的な認証局の証明書を中間証明書も含めて導入するか、"
        "組織の CA 証明書を送付し、別の手段でフィンガープリントをお知らせください。"
    ),
    Code.TLS_INCOMPLETE_CHAIN: "不足している中間証明書を、サーバー証明書の後に導入してください。",
    Code.TLS_CHAIN_UNCLEAR: (
        "証明書をすべて送信するようにしてください。公的な認証局の場合は中間証明書を導入し、"
        "組織の認証局の場合はその証明書を送付し、別の手段でフィンガープリントをお知らせください。"
    ),
    Code.TLS_WRONG_INTERMEDIATE: "中間証明書を、サーバー証明書を発行したものに置き換えてください。",
    Code.TLS_INTERMEDIATE_EXPIRED: "認証局の現行の中間証明書を導入してください。",
    Code.TLS_EXPIRED: "証明書を更新し、サーバーに読み込ませてください。",
    Code.TLS_NOT_YET_VALID: "現在有効な証明書を導入し、発行した環境の時計を確認してください。",
    Code.TLS_WEAK_KEY: "RSA 2048 ビットまたは P-256 以上の鍵の証明書を導入してください。",
    Code.TLS_WEAK_SIGNATURE: "SHA-256 以上で署名された証明書を導入してください。",
    Code.TLS_WRONG_PURPOSE: "TLS サーバー用（拡張キー使用法 serverAuth）の証明書を導入してください。",
    Code.TLS_NOT_A_CA: "認証局が発行した証明書を導入してください。",
    Code.TLS_PATH_LENGTH: "認証局が許可する段数以内の証明書を導入してください。",
    Code.TLS_NAME_CONSTRAINTS: "この名前に発行できる認証局の証明書を導入してください。",
    Code.TLS_CRITICAL_EXTENSION: "クライアントが解釈できないクリティカル拡張を含まない証明書を導入してください。",
    Code.TLS_BAD_SIGNATURE: "認証局が発行したままの証明書を導入し直してください。",
    Code.TLS_CHAIN_TOO_LARGE: "サーバー証明書と中間証明書だけを送信してください。",
    Code.TLS_BAD_CERTIFICATE: "TLS サーバー用の正しい証明書を導入してください。",
    Code.TLS_STRICT_ONLY: (
        "RFC 5280 に従った証明書を導入してください。Python 3.13 などの厳格なクライアントは現在の証明書を拒否します。"
    ),
    Code.TLS_EXPIRES_SOON: "期限までに証明書を更新してください。",
    Code.TLS_UNNEEDED_CERTIFICATES: "関係のない証明書を、送信する証明書から取り除いてください。",
    Code.TLS_UNORDERED_CHAIN: "サーバー証明書を先頭に、それぞれの発行者の順に並べてください。",
    Code.TLS_ROOT_SENT: "ルート証明書を、送信する証明書から取り除いてください。",
    Code.TLS_CN_ONLY: "ホスト名を subjectAltName に含む証明書を導入してください（RFC 9525）。",
    Code.TLS_OLD_VERSION: "TLS 1.2 以降だけを許可してください（RFC 8996）。",
    Code.TLS_REVOKED: "この証明書は失効しています。新しい鍵の証明書を導入してください。",
    Code.TLS_ADDRESSES_DIFFER: "ホストのすべてのアドレスに、同じ有効な証明書を導入してください。",
    Code.TLS_PIN_CHANGED: "サーバーの鍵を変更したかどうかと、新しいフィンガープリントを別の手段でお知らせください。",
    Code.TLS_STARTTLS_NOT_OFFERED: "このポートで STARTTLS を有効にするか、TLS 用のポートをお知らせください。",
    Code.TLS_STARTTLS_REFUSED: "このポートの TLS の設定を修復してください。STARTTLS が通知後に拒否されます。",
    Code.TLS_STARTTLS_INJECTION: (
        "メールサーバーを更新してください。STARTTLS の後、暗号化が始まる前にデータが送信されています。"
    ),
    Code.TLS_PREAUTH: "暗号化されていない接続で PREAUTH を無効にしてください。",
    Code.TLS_VERSION: "TLS 1.2 または 1.3 を有効にしてください。",
    Code.TLS_NO_SHARED_CIPHER: "ECDHE と AES-GCM など、現行の暗号方式を有効にしてください。",
    Code.TLS_OLD_CIPHERS: "前方秘匿性のある暗号方式（ECDHE）を有効にしてください。",
    Code.TLS_WEAK_DH: "楕円曲線、または 2048 ビット以上の Diffie-Hellman を有効にしてください。",
    Code.TLS_UNKNOWN_SNI: "このホスト名をサーバーに設定するか、サーバーの正しい名前をお知らせください。",
    Code.TLS_CLIENT_CERTIFICATE: "接続元アドレスからは、クライアント証明書なしで接続できるようにしてください。",
    Code.TLS_HANDSHAKE: "その時刻の TLS のログを確認してください。ハンドシェイクが途中で終わっています。",
    Code.TLS_NO_SECURE_RENEGOTIATION: (
        "TLS ライブラリを更新してください。安全な再ネゴシエーション（RFC 5746）がありません。"
    ),
    Code.GREETING_REFUSED: "接続元アドレスを許可してください。ログインの前に接続が断られています。",
    Code.SERVER_BLOCKS_ADDRESS: "接続元アドレスを拒否リストから外してください。",
    Code.AUTH_BASIC_DISABLED: ("パスワードによるログインを許可するか、OAuth でのログイン方法をお知らせください。"),
    Code.AUTH_NOT_OFFERED: "このポートでログインできるようにするか、ログインできるポートをお知らせください。",
    Code.AUTH_NO_MECHANISM: (
        "TLS 上での PLAIN または LOGIN を有効にするか、OAuth でのログイン方法をお知らせください。"
    ),
    Code.AUTH_OAUTH_REQUIRED: "OAuth でのログイン方法をお知らせいただくか、パスワードを許可してください。",
    Code.AUTH_ENCRYPTION_REQUIRED: (
        "このポートで TLS または STARTTLS を有効にしてください。ログインは暗号化された接続でのみ許可されています。"
    ),
    Code.AUTH_ID_REQUIRED: "IMAP ID を送信しないクライアントも許可してください。",
    Code.PROTOCOL_FOREIGN_TAG: (
        "PROXY プロトコルを受け付けるようサーバーを設定するか、手前のプロキシで送信を止めてください。"
    ),
    Code.PROTOCOL_BARE_LINE_FEED: "プロトコルの規定どおり、行末を CRLF にしてください。",
    Code.MAILBOX_BROKEN: (
        "該当するメールボックスの保存先を確認してください。ログインはできますが、存在しないか破損しています。"
    ),
    Code.PROTOCOL_ERROR: "その時刻のログを確認してください。可否を判断できない応答がありました。",
    Code.SERVER_UNAVAILABLE: "サーバーが稼働しているか確認してください。利用できないと応答しています。",
    Code.SERVER_THROTTLED: "接続元アドレスに対する要求数の制限を緩和してください。",
    Code.SERVER_TOO_MANY_CONNECTIONS: "接続元アドレスに対する同時接続数の上限を引き上げてください。",
    Code.SERVER_PATIENCE: "可能であれば、接続元アドレスに対する制限を緩和してください。待機を求められています。",
    Code.AUTH_TEMPORARY: (
        "パスワードのデータベースに接続できているか確認してください。パスワードを確認できませんでした。"
    ),
    Code.AUTH_ALL_REJECTED: (
        "パスワードのデータベースに接続できているかと、ユーザー名の形式を確認してください。"
        "すべて同じように拒否されました。"
    ),
    Code.MAILBOX_IN_USE: "該当するメールボックスをロックしているプログラムを確認してください。",
    Code.EXCHANGE_REDIRECT_LOOP: "自分自身に戻る Exchange アドレスのリダイレクトを修復してください。",
    Code.EXCHANGE_LOGON_PAGE: _EWS,
    Code.EXCHANGE_PRE_AUTHENTICATION: _EWS,
    Code.EXCHANGE_FORBIDDEN: "この組織で EWS を有効にし、接続元アドレスを許可してください。",
    Code.EXCHANGE_APP_NOT_LISTED: "このアプリを組織の一覧（EwsAllowedAppIDs）に追加してください。",
    Code.EXCHANGE_NO_AUTH: "EWS 仮想ディレクトリで、基本認証、NTLM 認証、または OAuth を有効にしてください。",
    Code.EXCHANGE_AUTH_UNUSABLE: "EWS 仮想ディレクトリで、基本認証、NTLM 認証、または OAuth を有効にしてください。",
    Code.EXCHANGE_NTLM_BROKEN: (
        "プロキシが NTLM の途中で接続を切っていないか確認するか、基本認証または OAuth を有効にしてください。"
    ),
    Code.EXCHANGE_PROXYING: "Exchange サーバーとサイトの間の接続を確認してください。",
    Code.EXCHANGE_VERSION: "該当するメールボックスのあるサーバー（Exchange 2010 以降）をお知らせください。",
    Code.EXCHANGE_ALL_REJECTED: (
        "プロキシを介した拡張保護、ログイン方式、ユーザー名の形式を確認してください。すべて同じように拒否されました。"
    ),
    Code.EXCHANGE_MOVING: "該当するメールボックスの移動が終わる時期をお知らせください。",
    Code.EXCHANGE_STORE: "利用できなくなっている、該当するメールボックスのデータベースを確認してください。",
    Code.EXCHANGE_OTHER_ERROR: "その時刻の Exchange のログを確認してください。問い合わせと関係のないエラーです。",
}
"""What whoever runs a mail server changes about a code. Causes that are nothing of the server's have none."""

_LET_IN = "この接続を許可し、届いているかを確認してください。"

FIREWALL: Mapping[Code, str] = {
    Code.CONNECT_REFUSED: _LET_IN,
    Code.CONNECT_TIMEOUT: _LET_IN,
    Code.CONNECT_UNREACHABLE: "このアドレスへの経路を確認してください。経路がありませんでした。",
    Code.CONNECT_CLOSED: "確立した接続を切断しているものを確認してください。",
    Code.CONNECT_SOME_ADDRESSES: "ホストのすべてのアドレスへの接続を許可してください。",
    Code.CONNECT_NOT_ADMITTED: "接続元アドレスをすべて許可してください。現在は一部だけが許可されています。",
    Code.TLS_TIMEOUT: "TLS の検査など、TLS ハンドシェイクを妨げているものを確認してください。",
    Code.TLS_LARGE_HELLO: (
        "複数パケットにわたる最初の TLS メッセージ（ClientHello）を通してください。"
        "OpenSSL 3.5 以降は既定でこのようなメッセージを送信します。"
    ),
    Code.GREETING_TIMEOUT: "接続後にサーバーの最初の応答を妨げているものを確認してください。",
    Code.GREETING_REFUSED: "接続元アドレスを許可してください。接続直後に断られています。",
    Code.SERVER_BLOCKS_ADDRESS: "接続元アドレスを拒否リストから外してください。",
    Code.DEADLINE: "接続が遅い原因を確認してください。",
    Code.EXCHANGE_FIREWALL: (
        "Web アプリケーションファイアウォールで、接続元アドレスから /EWS/Exchange.asmx への接続を許可してください。"
    ),
}
"""What whoever runs a firewall changes about a code."""
