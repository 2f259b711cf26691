const { total, discount, shipping, tax } = require('./cart.cjs');

describe('Cart', () => {
  describe('total', () => {
    it('is zero for an empty cart', () => {
      expect(total([])).toBe(0);
    });

    it('adds price times quantity', () => {
      expect(
        total([
          { price: 39, quantity: 1 },
          { price: 24, quantity: 2 },
        ]),
      ).toBe(87);
    });
  });

  describe('discount', () => {
    it('gives nothing below 100 €', () => {
      expect(discount(99)).toBe(0);
    });

    it('gives ten per cent at exactly 100 €', () => {
      expect(discount(100)).toBe(10);
    });
  });

  it.todo('remembers the cart between visits');
});

describe('Checkout', () => {
  it('ships free from 50 € on', () => {
    expect(shipping(50, { country: 'DE' })).toBe(0);
  });

  it('asks for the country when the address has none', () => {
    expect(() => shipping(20, {})).toThrow('country is missing');
  });

  it('rounds the tax to the cent', () => {
    expect(tax(10.03, 0.19)).toBe(1.91);
  });
});
