import type { Role } from './vocabulary';

/** Everything that a person can ask of the system. */
export const operations = [
  'read',
  'ingest',
  'push',
  'rerun',
  'verdict',
  'approve',
  'configure',
  'connect',
  'manage_members',
] as const;
export type Operation = (typeof operations)[number];

const forEveryone: readonly Operation[] = ['read', 'ingest', 'push', 'rerun', 'verdict'];
const forAdmins: readonly Operation[] = [...forEveryone, 'approve', 'configure', 'connect', 'manage_members'];

const allowed: Record<Role, readonly Operation[]> = { member: forEveryone, admin: forAdmins, owner: forAdmins };

/** Whether a role may do an operation: members push, re-run and give verdicts; admins and owners do the rest too (C7). */
export function isAllowed(role: Role, operation: Operation): boolean {
  return allowed[role].includes(operation);
}
