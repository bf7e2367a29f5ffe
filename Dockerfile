FROM python:3.11-slim AS build
RUN python -m venv /venv
COPY requirements.lock /src/
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.lock
COPY . /src
RUN /venv/bin/pip install --no-cache-dir --no-deps /src

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home skeldir
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER skeldir
WORKDIR /home/skeldir
EXPOSE 8000
CMD ["skeldir", "api", "--host", "0.0.0.0"]
