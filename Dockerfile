# syntax=docker/dockerfile:1
# The image of a server: Node, the libraries that Node links to, and the compiled server with its packages. No shell, no npm, no package manager.
#
#   docker build -t byond:0.1.0 .
#
# The RUN lines name no absolute path, so that test/deploy/image.deploy.ts runs the same lines without Docker. docs/guides/deploy.md says how to use it.

# The packages of production, as package-lock.json pins them. The server brings the two of this repository itself.
FROM node:24.21.0-trixie-slim AS packages
WORKDIR /build
COPY package.json package-lock.json ./
COPY src/rest/package.json src/rest/
COPY src/embedded-postgres/package.json src/embedded-postgres/
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && rm -r node_modules/@byond \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete

# The server and the console, compiled: what `npm run pack` makes.
FROM node:24.21.0-trixie-slim AS server
WORKDIR /build
COPY . .
RUN npm ci --no-audit --no-fund
RUN npm run pack \
 && mkdir server \
 && tar -xzf dist/packages/byond-[0-9]*.tgz --strip-components=1 -C server

# What there is beside them.
FROM node:24.21.0-trixie-slim AS system
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /build
RUN mkdir -p system/usr/local/bin system/etc system/tmp \
 && chmod 1777 system/tmp \
 && echo 'byond:x:65532:65532::/nonexistent:/sbin/nologin' > system/etc/passwd \
 && node="$(node --print process.execPath)" \
 && cp "$node" system/usr/local/bin/node \
 && ldd "$node" | grep -o '/[^ ]*' | xargs cp -L --parents -t system

FROM scratch
COPY --from=system /build/system /
COPY --from=server /build/server /app
COPY --from=packages /build/node_modules /app/node_modules
COPY deploy/health-check.js /app/
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    MALLOC_ARENA_MAX=2
USER 65532:65532
WORKDIR /app
EXPOSE 8080
STOPSIGNAL SIGTERM
# The first start migrates the database before it listens.
HEALTHCHECK --interval=30s --timeout=5s --start-period=300s --start-interval=2s CMD ["node", "/app/health-check.js"]
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=100", "/app/src/bin.js"]
CMD ["start"]
