"""Whether a broker outside of this process can be used. That is asked once at the start, then waited for.

Redis's client takes longer to import than it takes to begin without it, so it is imported where there is a Redis.
"""

from checks.model import Invalid, Unavailable

_SECONDS = 5.0
_WHERE = "the broker of MAIL_PREFLIGHT_BROKER_URL"


def require(url: str) -> None:
    """Raises `Unavailable` when Redis does not answer, `Invalid` when it does not let us in or has no such database."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        with redis.Redis.from_url(
            url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=Retry(NoBackoff(), 1)
        ) as client:
            client.ping()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
        raise Invalid(f"{_WHERE} does not take the user name and password of the URL; correct them") from None
    except redis.exceptions.BusyLoadingError:
        raise Unavailable(f"{_WHERE} is still loading its data; try again in a moment") from None
    except redis.ResponseError as error:
        # "NOAUTH Authentication required." comes so where the URL holds no password.
        if str(error).startswith(("NOAUTH", "WRONGPASS")):
            raise Invalid(f"{_WHERE} asks for a password and the URL has none that fits; correct it") from None
        raise Invalid(f"{_WHERE} refuses what the URL asks for; correct it") from None
    except (redis.RedisError, OSError, ValueError):
        raise Unavailable(f"{_WHERE} does not answer; start Redis, or correct the URL") from None
