-- AlterTable
ALTER TABLE "push_batch" ADD COLUMN     "connection_id" UUID;

-- CreateTable
CREATE TABLE "push_card" (
    "id" UUID NOT NULL,
    "organisation_id" UUID NOT NULL,
    "batch_id" UUID NOT NULL,
    "installation_id" UUID NOT NULL,
    "channel_id" TEXT NOT NULL,
    "ts" TEXT,
    "rendered_hash" TEXT,
    "dirty" BOOLEAN NOT NULL DEFAULT true,
    "dirty_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "not_before" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,

    CONSTRAINT "push_card_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "finding_evidence" (
    "organisation_id" UUID NOT NULL,
    "finding_id" UUID NOT NULL,
    "evidence_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "finding_evidence_pkey" PRIMARY KEY ("finding_id","evidence_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "push_card_organisation_id_id_key" ON "push_card"("organisation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "push_card_batch_id_channel_id_key" ON "push_card"("batch_id", "channel_id");

-- CreateIndex
CREATE INDEX "finding_evidence_evidence_id_idx" ON "finding_evidence"("evidence_id");

-- CreateIndex
CREATE UNIQUE INDEX "evidence_organisation_id_id_key" ON "evidence"("organisation_id", "id");

-- AddForeignKey
ALTER TABLE "push_batch" ADD CONSTRAINT "push_batch_organisation_id_connection_id_fkey" FOREIGN KEY ("organisation_id", "connection_id") REFERENCES "connection"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_card" ADD CONSTRAINT "push_card_organisation_id_batch_id_fkey" FOREIGN KEY ("organisation_id", "batch_id") REFERENCES "push_batch"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "push_card" ADD CONSTRAINT "push_card_organisation_id_installation_id_fkey" FOREIGN KEY ("organisation_id", "installation_id") REFERENCES "slack_installation"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "finding_evidence" ADD CONSTRAINT "finding_evidence_organisation_id_finding_id_fkey" FOREIGN KEY ("organisation_id", "finding_id") REFERENCES "finding"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "finding_evidence" ADD CONSTRAINT "finding_evidence_organisation_id_evidence_id_fkey" FOREIGN KEY ("organisation_id", "evidence_id") REFERENCES "evidence"("organisation_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Ids of raw inserts
ALTER TABLE "push_card" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();
