# Stands for the image node of Docker Hub, as far as Dockerfiles of Haic's ask for it.
FROM haic-tests/debian
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY authorities/ /usr/local/share/ca-certificates/
RUN update-ca-certificates
COPY node /usr/local/bin/
COPY npm/ /usr/local/lib/node_modules/npm/
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
