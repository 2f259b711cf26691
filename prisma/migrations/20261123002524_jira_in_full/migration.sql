-- AlterTable
ALTER TABLE "connection" ADD COLUMN     "broken_at" TIMESTAMPTZ(3),
ADD COLUMN     "lost_projects" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "poll_error" TEXT,
ADD COLUMN     "polled_until" TIMESTAMPTZ(3),
ADD COLUMN     "refreshed_at" TIMESTAMPTZ(3),
ADD COLUMN     "scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "webhook_error" TEXT;

-- AlterTable
ALTER TABLE "issue_link" ADD COLUMN     "checked_at" TIMESTAMPTZ(3),
ADD COLUMN     "missing_since" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "notice" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "not_before" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,

    CONSTRAINT "notice_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "notice_organisation_id_id_key" ON "notice"("organisation_id", "id");

-- AddForeignKey
ALTER TABLE "notice" ADD CONSTRAINT "notice_organisation_id_connection_id_fkey" FOREIGN KEY ("organisation_id", "connection_id") REFERENCES "connection"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Ids of raw inserts
ALTER TABLE "notice" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();

-- By hand: what a Prisma schema cannot say
create unique index "notice_open" on "notice" ("connection_id", "kind") where "resolved_at" is null;
create index "notice_unsent" on "notice" ("created_at") where "sent_at" is null;
create index "issue_link_to_check" on "issue_link" ("connection_id", "checked_at" nulls first) where "active" and "state" = 'linked';
