/** A file of a sample repository: path within it, and text. */
export type Files = Readonly<Record<string, string>>;

const packageFile = (name: string, about: string): string =>
  `${JSON.stringify({ name, version: '1.0.0', description: about, type: 'module', private: true, scripts: { test: 'node --test' } }, null, 2)}\n`;

/** The line of `money` that has to change, before and after. */
export const moneyMend = {
  before: 'return Math.floor(amount * 100) / 100;',
  after: 'return Math.round(amount * 100) / 100;',
} as const;

/** The line of `pricing` that has to change, before and after. */
export const pricingMend = {
  before: 'return roundToCents(net * (1 + taxRate)) - discount;',
  after: 'return roundToCents((net - discount) * (1 + taxRate));',
} as const;

/** Three small repositories that need each other: `shop` needs `pricing`, which needs `money`. */
export const sampleRepos: Readonly<
  Record<'money' | 'pricing' | 'shop', { dependsOn: readonly string[]; files: Files }>
> = {
  money: {
    dependsOn: [],
    files: {
      'package.json': packageFile('money', 'Amounts of money'),
      'src/money.js': `/** An amount as people pay it: whole cents. */\nexport function roundToCents(amount) {\n  ${moneyMend.before}\n}\n`,
      'test/money.test.js': test(
        '../src/money.js',
        'roundToCents',
        'whole cents stay as they are',
        'roundToCents(12.5)',
        '12.5',
      ),
    },
  },
  pricing: {
    dependsOn: ['money'],
    files: {
      'package.json': packageFile('pricing', 'What a basket costs'),
      'src/total.js':
        "import { roundToCents } from '../../money/src/money.js';\n\n" +
        '/** What a basket costs: the discount comes off the net sum, then tax is added. */\n' +
        `export function total(lines, { discount = 0, taxRate = 0 } = {}) {\n  const net = lines.reduce((sum, { price, count }) => sum + price * count, 0);\n  ${pricingMend.before}\n}\n`,
      'test/total.test.js': test(
        '../src/total.js',
        'total',
        'a basket costs the sum of its lines',
        'total([{ price: 2.5, count: 4 }])',
        '10',
      ),
    },
  },
  shop: {
    dependsOn: ['pricing'],
    files: {
      'package.json': packageFile('shop', 'Invoices of a small shop'),
      'src/invoice.js':
        "import { total } from '../../pricing/src/total.js';\n\n" +
        "/** The last line of an invoice, such as 'To pay: 38.64'. */\nexport function invoiceLine(lines, terms) {\n  return `To pay: ${total(lines, terms).toFixed(2)}`;\n}\n",
      'test/invoice.test.js': test(
        '../src/invoice.js',
        'invoiceLine',
        'an invoice without terms shows the sum',
        'invoiceLine([{ price: 3, count: 2 }])',
        "'To pay: 6.00'",
      ),
    },
  },
};

/** The change that the developer pushes: a test of `shop` that fails until `money` and `pricing` are mended. */
export const failingTest = {
  repo: 'shop',
  path: 'test/discount.test.js',
  text: test(
    '../src/invoice.js',
    'invoiceLine',
    'a discount comes off before tax, and cents are rounded',
    'invoiceLine([{ price: 12.49, count: 3 }], { discount: 5, taxRate: 0.19 })',
    "'To pay: 38.64'",
  ),
  message: 'test: a discount comes off before tax',
} as const;

/** Runs the tests of all three; the folders lie side by side. */
export const TEST_COMMAND = 'node --test */test/*.test.js';

function test(from: string, name: string, sentence: string, call: string, expected: string): string {
  return `import assert from 'node:assert/strict';\nimport test from 'node:test';\nimport { ${name} } from '${from}';\n\ntest('${sentence}', () => {\n  assert.equal(${call}, ${expected});\n});\n`;
}
