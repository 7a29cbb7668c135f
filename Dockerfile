# @sha256:... pins the image; scripts/pin-images.sh looks it up.
ARG PYTHON_DIGEST=
FROM python:3.11-slim-bookworm${PYTHON_DIGEST} AS build
WORKDIR /src
RUN python -m venv /opt/mail-preflight
ENV PATH=/opt/mail-preflight/bin:$PATH
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm${PYTHON_DIGEST}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/mail-preflight mail-preflight
COPY --from=build /opt/mail-preflight /opt/mail-preflight
ENV PATH=/opt/mail-preflight/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER mail-preflight
WORKDIR /var/lib/mail-preflight
ENTRYPOINT ["mail-preflight"]
CMD ["--help"]
