# One image for all three processes of production:
#   api         node dist/api/main.js
#   worker      node dist/activities/worker.js
#   migrations  node dist/prisma/migrate-main.js (ends when the database is up to date)
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json prisma.config.ts ./
COPY activities activities
COPY api api
COPY bot bot
COPY local/generate.cjs local/
COPY prisma prisma
COPY workflows workflows
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production \
    NODE_OPTIONS=--enable-source-maps
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/prisma/migrations prisma/migrations
USER node
EXPOSE 3000 9464
CMD ["node", "dist/api/main.js"]
