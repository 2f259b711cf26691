// A cart with three mistakes in it, for the example tests beside it to find.

function total(items) {
  return items.reduce((sum, item) => sum + item.price * item.quantity, 0);
}

/** Ten per cent off from 100 € on. The mistake: the boundary itself is left out. */
function discount(sum) {
  return sum > 100 ? sum * 0.1 : 0;
}

/** Free from 50 € on. The mistake: a missing country is taken for one that is known. */
function shipping(sum, address) {
  const rates = { DE: 4.9, AT: 7.9 };
  if (sum >= 50) return 0;
  return rates[address.country.toUpperCase()];
}

/** The mistake: fractions of a cent are cut off where they should be rounded. */
function tax(sum, rate) {
  return Math.floor(sum * rate * 100) / 100;
}

module.exports = { total, discount, shipping, tax };
