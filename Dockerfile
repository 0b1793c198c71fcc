# The service in an image: nothing but Node, the production packages and what was built.
#   docker build -t signalbox .
#   docker run --rm --gpus all --pid host --uts host -p 127.0.0.1:4747:4747 -e SIGNALBOX_TOKEN=… \
#     -v "$PWD/runs:/runs:ro" -v signalbox:/data signalbox
# compose.yaml does the same, better secured, and says why. BASE needs glibc and Node 22.22 or newer.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY web web
RUN npm run -s build

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/prepare.js scripts/
# The Node that npm pins for checkouts is not needed: the image has its own.
RUN npm ci --omit=dev \
  && rm -rf node_modules/node-linux-* node_modules/.bin

FROM ${BASE}
ENV NODE_ENV=production \
    SIGNALBOX_WATCH=/runs \
    SIGNALBOX_DB=/data/signalbox.db \
    SIGNALBOX_HOST=0.0.0.0
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY bin bin
COPY migrations migrations
COPY test/simulators test/simulators
COPY package.json LICENSE ./
# 1000 is the user `node` of the official image, as a number so that Kubernetes can see that it is not root.
RUN mkdir /data /runs && chown 1000:1000 /data
USER 1000:1000
# The history. Run folders are only ever read: mount them at /runs, read-only.
VOLUME /data
EXPOSE 4747
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SIGNALBOX_PORT || 4747}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: node itself gets SIGTERM, ends cleanly and exits 0.
ENTRYPOINT ["node", "bin/signalbox.js"]
CMD ["serve"]
