# Two images from one file: `app` (web, worker and management commands) and `proxy` (TLS and static files).
# The Python version is the one that the tests run on.

FROM python:3.11-slim AS app
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/havre

COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock

COPY manage.py ./
COPY audit/ audit/
COPY encryption/ encryption/
COPY staff/ staff/
COPY chat/ chat/
COPY crisis/ crisis/
COPY directory/ directory/
COPY cases/ cases/
COPY drills/ drills/
COPY ops/ ops/
COPY frontend/ frontend/
COPY config/ config/
COPY locale/ locale/
COPY deploy/healthcheck.py deploy/healthcheck.py

# The signing key is for this one step only and reaches no running process. The folders belong to the account that
# serves, so that a volume laid over the key folder starts out writable for it and for nobody else.
RUN pybabel -q compile --domain django --directory locale \
    && HAVRE_SECRET_KEY=collecting HAVRE_DATA_DIR=/srv/data python manage.py collectstatic --noinput --verbosity 0 \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin havre \
    && install --directory --owner havre --group havre --mode 0700 /srv/keys

USER havre
ENV HAVRE_DATA_DIR=/srv/data \
    HAVRE_KEYS_DIR=/srv/keys
EXPOSE 8000
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000", "--server", "uvicorn"]

FROM caddy:2-alpine AS proxy
COPY deploy/Caddyfile /etc/caddy/Caddyfile
COPY --from=app /srv/data/static/ /srv/static/
