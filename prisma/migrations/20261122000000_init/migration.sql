-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "organisation" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "finding_number" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organisation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "member" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "slack_team_id" TEXT,
    "slack_user_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "member_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "connection" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "kind" TEXT NOT NULL DEFAULT 'api_token',
    "status" TEXT NOT NULL DEFAULT 'connected',
    "status_reason" TEXT,
    "site_url" TEXT NOT NULL,
    "cloud_id" TEXT,
    "account_email" TEXT,
    "account_id" TEXT,
    "credentials" BYTEA,
    "webhook_secret" BYTEA,
    "project_key" TEXT NOT NULL,
    "auto_sync" BOOLEAN NOT NULL DEFAULT false,
    "mapping" JSONB NOT NULL DEFAULT '{}',
    "dynamic_webhook_ids" BIGINT[],
    "webhook_expires_at" TIMESTAMPTZ(3),
    "token_expires_at" TIMESTAMPTZ(3),
    "last_webhook_at" TIMESTAMPTZ(3),
    "last_poll_at" TIMESTAMPTZ(3),
    "next_slot_at" TIMESTAMPTZ(3),
    "blocked_until" TIMESTAMPTZ(3),
    "created_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "connection_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "source" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "connection_id" UUID,
    "rule" JSONB NOT NULL,
    "auto_push_since" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "source_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "report" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "source_id" UUID NOT NULL,
    "session_id" UUID,
    "idempotency_key" TEXT NOT NULL,
    "body_hash" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "scope" TEXT NOT NULL,
    "counts" JSONB NOT NULL,
    "uploaded_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "report_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "finding" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "source_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "details" JSONB NOT NULL DEFAULT '{}',
    "status" TEXT NOT NULL DEFAULT 'open',
    "status_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "in_loop" BOOLEAN NOT NULL DEFAULT false,
    "claim" INTEGER NOT NULL DEFAULT 0,
    "claimed_by" TEXT,
    "claimed_at" TIMESTAMPTZ(3),
    "status_reason" TEXT,
    "blocked_owner" TEXT,
    "blocked_until" TIMESTAMPTZ(3),
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "absent_since" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "finding_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "occurrence" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "finding_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'seen',
    "page" TEXT,
    "details" JSONB NOT NULL DEFAULT '{}',
    "report_id" UUID,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "occurrence_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "issue_link" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "finding_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "marker" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "sent_at" TIMESTAMPTZ(3),
    "project_key" TEXT NOT NULL,
    "jira_issue_id" TEXT,
    "jira_key" TEXT,
    "jira_status" TEXT,
    "jira_resolution" TEXT,
    "pushed_by_id" UUID,
    "note" TEXT,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "linked_at" TIMESTAMPTZ(3),

    CONSTRAINT "issue_link_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "expected_change" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "jira_issue_id" TEXT NOT NULL,
    "field" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3),

    CONSTRAINT "expected_change_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "push_batch" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "source_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'running',
    "requested_by_id" UUID,
    "note" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "push_batch_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "push_item" (
    "organisation_id" UUID NOT NULL,
    "batch_id" UUID NOT NULL,
    "finding_id" UUID NOT NULL,
    "outcome" TEXT NOT NULL DEFAULT 'pending',
    "jira_key" TEXT,
    "reason" TEXT,
    "tries" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "push_item_pkey" PRIMARY KEY ("batch_id","finding_id")
);

-- CreateTable
CREATE TABLE "approval" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "batch_id" UUID NOT NULL,
    "decision" TEXT,
    "decided_by_id" UUID,
    "note" TEXT,
    "remind_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "decided_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "approval_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "source_id" UUID NOT NULL,
    "suite" TEXT,
    "status" TEXT NOT NULL DEFAULT 'planned',
    "created_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session_case" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "finding_id" UUID NOT NULL,
    "claim" INTEGER NOT NULL,
    "verdict" TEXT,
    "open" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "session_case_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "verdict" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "case_id" UUID NOT NULL,
    "verdict" TEXT NOT NULL,
    "note" TEXT,
    "member_id" UUID,
    "report_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "verdict_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "evidence" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "finding_id" UUID,
    "verdict_id" UUID,
    "hash" TEXT NOT NULL,
    "filename" TEXT NOT NULL,
    "content_type" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "content" BYTEA NOT NULL,
    "attached_to" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "evidence_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "delivery" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "identifier" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "jira_issue_id" TEXT,
    "changes" JSONB NOT NULL DEFAULT '[]',
    "actor_id" TEXT,
    "actor_name" TEXT,
    "state" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3),
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,

    CONSTRAINT "delivery_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "slack_installation" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "team_id" TEXT NOT NULL,
    "enterprise_id" TEXT,
    "team_name" TEXT,
    "bot_token" BYTEA,
    "bot_id" TEXT NOT NULL,
    "bot_user_id" TEXT NOT NULL,
    "installer_id" TEXT,
    "scopes" TEXT[],
    "channel_id" TEXT,
    "status" TEXT NOT NULL DEFAULT 'installed',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "slack_installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "card" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "finding_id" UUID NOT NULL,
    "installation_id" UUID NOT NULL,
    "channel_id" TEXT NOT NULL,
    "ts" TEXT,
    "rendered_hash" TEXT,
    "dirty" BOOLEAN NOT NULL DEFAULT true,
    "dirty_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "not_before" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,

    CONSTRAINT "card_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscription" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "installation_id" UUID NOT NULL,
    "channel_id" TEXT NOT NULL,
    "source_id" UUID,
    "severities" TEXT[],
    "events" TEXT[],
    "digest" TEXT NOT NULL DEFAULT 'none',
    "created_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscription_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "command" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "member_id" UUID,
    "kind" TEXT NOT NULL,
    "args" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "reply_to" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "command_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "one_time_link" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "member_id" UUID,
    "kind" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "payload" JSONB NOT NULL DEFAULT '{}',
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "one_time_link_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "id" BIGSERIAL NOT NULL,
    "organisation_id" UUID NOT NULL,
    "finding_id" UUID,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "detail" TEXT NOT NULL DEFAULT '',
    "dedupe_key" TEXT,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "member_organisation_id_id_key" ON "member"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "member_organisation_id_slack_team_id_slack_user_id_key" ON "member"("organisation_id", "slack_team_id", "slack_user_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_hash_key" ON "api_key"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_organisation_id_id_key" ON "api_key"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "connection_organisation_id_id_key" ON "connection"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "source_organisation_id_id_key" ON "source"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "source_organisation_id_key_key" ON "source"("organisation_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "report_organisation_id_id_key" ON "report"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "report_source_id_idempotency_key_key" ON "report"("source_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "finding_organisation_id_status_idx" ON "finding"("organisation_id", "status");

-- CreateIndex
CREATE UNIQUE INDEX "finding_organisation_id_id_key" ON "finding"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "finding_organisation_id_number_key" ON "finding"("organisation_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "finding_source_id_key_key" ON "finding"("source_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "occurrence_organisation_id_id_key" ON "occurrence"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "occurrence_finding_id_key_key" ON "occurrence"("finding_id", "key");

-- CreateIndex
CREATE INDEX "issue_link_connection_id_marker_idx" ON "issue_link"("connection_id", "marker");

-- CreateIndex
CREATE UNIQUE INDEX "issue_link_organisation_id_id_key" ON "issue_link"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "issue_link_finding_id_generation_key" ON "issue_link"("finding_id", "generation");

-- CreateIndex
CREATE UNIQUE INDEX "issue_link_connection_id_jira_issue_id_key" ON "issue_link"("connection_id", "jira_issue_id");

-- CreateIndex
CREATE INDEX "expected_change_connection_id_jira_issue_id_idx" ON "expected_change"("connection_id", "jira_issue_id");

-- CreateIndex
CREATE UNIQUE INDEX "push_batch_organisation_id_id_key" ON "push_batch"("organisation_id", "id");

-- CreateIndex
CREATE INDEX "push_item_finding_id_idx" ON "push_item"("finding_id");

-- CreateIndex
CREATE UNIQUE INDEX "approval_organisation_id_batch_id_key" ON "approval"("organisation_id", "batch_id");

-- CreateIndex
CREATE UNIQUE INDEX "session_organisation_id_id_key" ON "session"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "session_case_organisation_id_id_key" ON "session_case"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "session_case_session_id_finding_id_key" ON "session_case"("session_id", "finding_id");

-- CreateIndex
CREATE UNIQUE INDEX "verdict_organisation_id_id_key" ON "verdict"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "evidence_organisation_id_hash_key" ON "evidence"("organisation_id", "hash");

-- CreateIndex
CREATE UNIQUE INDEX "delivery_connection_id_identifier_key" ON "delivery"("connection_id", "identifier");

-- CreateIndex
CREATE UNIQUE INDEX "slack_installation_organisation_id_id_key" ON "slack_installation"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "slack_installation_team_id_key" ON "slack_installation"("team_id");

-- CreateIndex
CREATE UNIQUE INDEX "card_organisation_id_id_key" ON "card"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "card_finding_id_channel_id_key" ON "card"("finding_id", "channel_id");

-- CreateIndex
CREATE UNIQUE INDEX "subscription_organisation_id_id_key" ON "subscription"("organisation_id", "id");

-- CreateIndex
CREATE INDEX "command_state_created_at_idx" ON "command"("state", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "one_time_link_hash_key" ON "one_time_link"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "audit_event_dedupe_key_key" ON "audit_event"("dedupe_key");

-- CreateIndex
CREATE INDEX "audit_event_finding_id_id_idx" ON "audit_event"("finding_id", "id");

-- CreateIndex
CREATE INDEX "audit_event_organisation_id_at_idx" ON "audit_event"("organisation_id", "at");

-- AddForeignKey
ALTER TABLE "member" ADD CONSTRAINT "member_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_organisation_id_member_id_fkey" FOREIGN KEY ("organisation_id", "member_id") REFERENCES "member"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connection" ADD CONSTRAINT "connection_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "source" ADD CONSTRAINT "source_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "source" ADD CONSTRAINT "source_organisation_id_connection_id_fkey" FOREIGN KEY ("organisation_id", "connection_id") REFERENCES "connection"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "report" ADD CONSTRAINT "report_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "report" ADD CONSTRAINT "report_organisation_id_source_id_fkey" FOREIGN KEY ("organisation_id", "source_id") REFERENCES "source"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "finding" ADD CONSTRAINT "finding_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "finding" ADD CONSTRAINT "finding_organisation_id_source_id_fkey" FOREIGN KEY ("organisation_id", "source_id") REFERENCES "source"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "occurrence" ADD CONSTRAINT "occurrence_organisation_id_finding_id_fkey" FOREIGN KEY ("organisation_id", "finding_id") REFERENCES "finding"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "issue_link" ADD CONSTRAINT "issue_link_organisation_id_finding_id_fkey" FOREIGN KEY ("organisation_id", "finding_id") REFERENCES "finding"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "issue_link" ADD CONSTRAINT "issue_link_organisation_id_connection_id_fkey" FOREIGN KEY ("organisation_id", "connection_id") REFERENCES "connection"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_batch" ADD CONSTRAINT "push_batch_organisation_id_source_id_fkey" FOREIGN KEY ("organisation_id", "source_id") REFERENCES "source"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_item" ADD CONSTRAINT "push_item_organisation_id_batch_id_fkey" FOREIGN KEY ("organisation_id", "batch_id") REFERENCES "push_batch"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_item" ADD CONSTRAINT "push_item_organisation_id_finding_id_fkey" FOREIGN KEY ("organisation_id", "finding_id") REFERENCES "finding"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "approval" ADD CONSTRAINT "approval_organisation_id_batch_id_fkey" FOREIGN KEY ("organisation_id", "batch_id") REFERENCES "push_batch"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_organisation_id_source_id_fkey" FOREIGN KEY ("organisation_id", "source_id") REFERENCES "source"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session_case" ADD CONSTRAINT "session_case_organisation_id_session_id_fkey" FOREIGN KEY ("organisation_id", "session_id") REFERENCES "session"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session_case" ADD CONSTRAINT "session_case_organisation_id_finding_id_fkey" FOREIGN KEY ("organisation_id", "finding_id") REFERENCES "finding"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "verdict" ADD CONSTRAINT "verdict_organisation_id_case_id_fkey" FOREIGN KEY ("organisation_id", "case_id") REFERENCES "session_case"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "delivery" ADD CONSTRAINT "delivery_organisation_id_connection_id_fkey" FOREIGN KEY ("organisation_id", "connection_id") REFERENCES "connection"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "slack_installation" ADD CONSTRAINT "slack_installation_organisation_id_fkey" FOREIGN KEY ("organisation_id") REFERENCES "organisation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "card" ADD CONSTRAINT "card_organisation_id_finding_id_fkey" FOREIGN KEY ("organisation_id", "finding_id") REFERENCES "finding"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "card" ADD CONSTRAINT "card_organisation_id_installation_id_fkey" FOREIGN KEY ("organisation_id", "installation_id") REFERENCES "slack_installation"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Ids of raw inserts
ALTER TABLE "organisation" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "member" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "api_key" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "connection" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "source" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "report" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "finding" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "occurrence" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "issue_link" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "expected_change" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "push_batch" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "approval" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "session" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "session_case" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "verdict" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "evidence" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "delivery" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "slack_installation" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "card" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "subscription" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "command" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
ALTER TABLE "one_time_link" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();

-- By hand: what a Prisma schema cannot say

-- A finding has one live issue, whoever pushes at the same moment.
CREATE UNIQUE INDEX "issue_link_one_active" ON "issue_link" ("finding_id") WHERE "active";

-- A finding is in one open session.
CREATE UNIQUE INDEX "session_case_one_open" ON "session_case" ("finding_id") WHERE "open";

-- What the relay sweeps, what a new link relays, what the outbox renders.
CREATE INDEX "delivery_pending" ON "delivery" ("received_at") WHERE "state" = 'pending';
CREATE INDEX "delivery_of_issue" ON "delivery" ("connection_id", "jira_issue_id") WHERE "state" <> 'ignored';
CREATE INDEX "card_due" ON "card" ("not_before") WHERE "dirty" OR "attempts" > 0;
