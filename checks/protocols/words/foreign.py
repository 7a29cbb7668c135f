"""What servers say in other languages than English, as patterns by what it means. Letters are compared without case.

Only what would be taken for a wrong password otherwise: a plain refusal needs no words of its own.
"""


def _any(*patterns: str) -> str:
    return "|".join(patterns)


TOO_MANY_CONNECTIONS = _any(
    "trop de connexions",
    "zu viele (gleichzeitige )?verbindungen",
    "demasiadas conexiones",
    "troppe connessioni",
    "muitas conex(ões|oes)",
    "te veel verbindingen",
    "zbyt wiele połączeń",
    "слишком много (одновременных )?(соединений|подключений)",
    "同時接続数",
    "连接数(过多|太多)",
)
THROTTLED = _any(
    "zu viele (fehlgeschlagene |ungültige )?(anmelde|login)",
    "trop de tentatives",
    "demasiados intentos",
    "troppi tentativi",
    "(muitas|demasiadas) tentativas",
    "te veel (inlog|aanmeld)?pogingen",
    "zbyt wiele prób",
    "příliš mnoho pokus",
    "слишком много (неудачных )?(попыток|запросов)",
    "çok fazla",
    "登录(过于|太过)?频繁|(尝试|错误)次数",
    "ログイン試行",
    "시도 횟수",
)
BLOCKS_ADDRESS = _any(
    "adresse ip .{0,20}bloqu",
    "ip.?adresse .{0,30}(gesperrt|blockiert)",
    "dirección ip .{0,30}bloquead",
    "indirizzo ip .{0,30}bloccat",
    "(endereço ip|ip) .{0,30}bloquead",
    "адрес .{0,30}заблокирован",
)
TEMPORARY = _any(
    "vorübergehend|später (noch ?mal|erneut|wieder)|versuchen sie es später",
    "temporairement|réessayer plus tard|plus tard",
    "temporalmente|más tarde",
    "temporaneamente|più tardi",
    "temporariamente|mais tarde",
    "tijdelijk|later opnieuw|probeer het later",
    "tymczasow|spróbuj.{0,20}później",
    "dočasn|pozd[eě]ji",
    "временно|позже|позднее",
    "geçici|daha sonra",
    "midlertidig|tillfällig",
    "一時的|しばらく",
    "稍后|稍後|暂时|暫時|系统繁忙",
    "일시적|나중에 다시",
)
PROTOCOL_OFF = _any(
    "(imap|smtp).{0,20}(deaktiviert|désactiv|desactivad|disattivat|disabilitat|desativad|uitgeschakeld|wyłączon)",
    "(imap|smtp).{0,20}(отключ|无效|無効|未开启|已关闭)",
)
LOCKED = _any(
    "(konto|benutzer|postfach).{0,20}gesperrt",
    "compte.{0,20}(bloqu|verrouill)",
    "(cuenta|conta).{0,20}bloquead",
    "account.{0,20}bloccat",
    "account.{0,20}geblokkeerd",
    "konto.{0,20}zablokowan",
    "(аккаунт|учетная запись|ящик).{0,20}заблокирован",
    "(账号|帐号|帳號).{0,10}(锁定|鎖定|冻结)",
    "ロックされ",
    "잠겨|잠금",
)
DISABLED = _any(
    "(konto|postfach).{0,20}(deaktiviert|stillgelegt)",
    "compte.{0,20}(désactiv|suspendu)",
    "cuenta.{0,20}(desactivad|suspendid)",
    "account.{0,20}(disattivat|sospes)",
    "conta.{0,20}(desativad|suspens)",
    "(账号|帐号|帳號).{0,10}(停用|禁用)",
    "アカウント.{0,10}(無効|停止)",
)
