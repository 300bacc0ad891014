# wiretype on Debian, with Node 22: the daemon and the tools. docs/docker.md explains its use.
#
#   docker build -t wiretype .
FROM node:22-bookworm-slim AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends gcc libc6-dev \
  && rm -rf /var/lib/apt/lists/*
# The build needs no root; the folder does.
RUN mkdir /src && chown node:node /src
USER node
WORKDIR /src
COPY --chown=node:node package.json package-lock.json ./
RUN npm ci --include=dev --include=optional --no-audit --no-fund
COPY --chown=node:node . .
RUN node scripts/setup.mjs \
  && node scripts/prebuild.mjs --here \
  && npm pack --ignore-scripts \
  && mv wiretype-*.tgz wiretype.tgz

FROM node:22-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends iproute2 iputils-ping nftables procps \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/wiretype.tgz /tmp/wiretype.tgz
RUN npm install --global --no-audit --no-fund /tmp/wiretype.tgz \
  && ln -s wiretype /usr/local/bin/wg \
  && ln -s wiretype /usr/local/bin/wg-quick \
  && rm -rf /tmp/wiretype.tgz /root/.npm
COPY docker/entrypoint.sh /usr/local/bin/wiretype-container
# Making an interface takes CAP_NET_ADMIN, and nothing else of root: compose.yaml takes the rest away.
VOLUME /etc/wireguard
EXPOSE 51820/udp
HEALTHCHECK --interval=30s --timeout=10s CMD ["sh", "-c", "exec wiretype show \"${WIRETYPE_INTERFACE:-wg0}\""]
ENTRYPOINT ["wiretype-container"]
