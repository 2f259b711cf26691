import { type JqlContext, placeholder } from './context';
import type { Clause, Operand, Operator } from './parse';
import { JqlError } from './tokens';

type Compare = (parts: { column: string; clause: Clause; context: JqlContext }) => string;

const minutesPer: Record<string, number> = { w: 10_080, d: 1_440, h: 60, m: 1 };
const relative = /^([+-]?\d+)([wdhm])$/;
const absolute = /^\d{4}[-/]\d{1,2}[-/]\d{1,2}( \d{1,2}:\d{2})?$/;

/**
 * How a date operator compares, or undefined where dates have no such operator.
 * JQL knows dates to the minute, in the caller's time zone; relative ones (`-90m`, `2d`) count from now.
 */
export function compareDates(operator: Operator): Compare | undefined {
  if (operator === '=' || operator === '!=') {
    return ({ column, clause, context }) => {
      const moment = momentSql(clause.operands[0], context);
      const same = `date_trunc('minute', ${column}) = date_trunc('minute', ${moment})`;
      return operator === '=' ? `coalesce(${same}, false)` : `(${column} is not null and not ${same})`;
    };
  }
  if (operator !== '>' && operator !== '>=' && operator !== '<' && operator !== '<=') return undefined;
  return ({ column, clause, context }) => {
    const compared = `${column} ${operator} ${momentSql(clause.operands[0], context)}`;
    // Only what can be missing needs the detour, which keeps an index from being used.
    return column === 'i.resolved_at' ? `coalesce(${compared}, false)` : compared;
  };
}

function momentSql(operand: Operand | undefined, context: JqlContext): string {
  const zone = () => placeholder(context, context.timeZone);
  if (operand?.kind === 'function' && operand.name === 'now') return 'now()';
  if (operand?.kind === 'function' && operand.name === 'startofday') {
    return `date_trunc('day', now(), ${zone()})`;
  }
  const value = operand?.kind === 'value' ? operand.value.trim() : '';
  const [, amount, unit] = relative.exec(value) ?? [];
  if (amount !== undefined && unit !== undefined) {
    const minutes = placeholder(context, Number(amount) * (minutesPer[unit] ?? 0));
    return `date_trunc('minute', now() + make_interval(mins => ${minutes}::int))`;
  }
  if (!absolute.test(value)) {
    throw new JqlError(
      `Date value '${value}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', ` +
        "'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.",
    );
  }
  return `(${placeholder(context, value.replaceAll('/', '-'))}::timestamp at time zone ${zone()})`;
}
