# The environment is built where a compiler could be, and runs where none is.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --only-binary=:all: -r requirements.txt \
    # The Postgres that comes along stays for its pg_dump; nothing is installed after this.
    && /venv/bin/python -m pip uninstall --yes --quiet pip

FROM python:3.13-slim
RUN groupadd --system --gid 10001 honne \
    && useradd --system --uid 10001 --gid honne --home-dir /srv/honne --no-create-home honne
WORKDIR /srv/honne
COPY --from=build /venv /venv
COPY alembic.ini LICENSE ./
COPY app app
COPY migrations migrations
COPY templates templates
# Whoever runs it may write nothing here, and would compile all of it at each start.
RUN python -m compileall -q app
ENV PATH=/venv/bin:$PATH \
    HOST=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv/honne \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import http.client, os, sys; \
         server = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT', 8000)), timeout=4); \
         server.request('GET', '/health/ready'); sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve"]
