"""Exit with 0 when the web process of this container is ready, with 1 otherwise."""

import http.client
import os
import sys


def main() -> int:
    """Ask /readyz under the first host name that the site answers to."""
    host = os.environ.get("HAVRE_ALLOWED_HOSTS", "").split(",")[0].strip() or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/readyz", headers={"Host": host})
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
