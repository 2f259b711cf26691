-- CreateIndex
CREATE INDEX "issue_link_organisation_id_jira_key_idx" ON "issue_link"("organisation_id", "jira_key");

-- CreateIndex
CREATE INDEX "verdict_case_id_idx" ON "verdict"("case_id");

-- CreateIndex
CREATE INDEX "session_case_finding_id_idx" ON "session_case"("finding_id");

-- CreateIndex
CREATE INDEX "finding_evidence_created_at_idx" ON "finding_evidence"("created_at");

-- By hand: what a Prisma schema cannot say

-- What the sweeps look for every few seconds: items of pushes that wait, pushes that wait for an approval, messages of
-- pushes that show something old, links that were made of late, and deliveries that came before a link.
create index "push_item_waiting" on "push_item" ("updated_at") where "outcome" in ('pending', 'held');
create index "push_batch_unapproved" on "push_batch" ("created_at") where "status" = 'awaiting_approval';
create index "push_card_due" on "push_card" ("not_before") where "dirty" or "attempts" > 0;
create index "issue_link_lately" on "issue_link" ((coalesce("linked_at", "created_at"))) where "active" and "jira_issue_id" is not null;
create index "delivery_untracked" on "delivery" ("received_at") where "state" = 'untracked';
