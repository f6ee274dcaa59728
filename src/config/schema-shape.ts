import type { z } from 'zod';

/** What zod keeps of a schema, as far as it is walked here. */
interface SchemaDefinition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly items?: readonly z.core.$ZodType[];
  readonly in?: z.core.$ZodType;
}

/** The keys that an object at this path may have; none if there is no object. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  return Object.keys(definitionAt(schema, path)?.shape ?? {});
}

/**
 * `string`, `number`, `boolean`, `array`, `union` and so on, without what makes it optional; undefined if there is
 * none.
 */
export function kindAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string | undefined {
  return definitionAt(schema, path)?.type;
}

function definitionAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): SchemaDefinition | undefined {
  let definition = unwrapped(schema);
  for (const part of path) {
    const next =
      typeof part === 'number' ? (definition.items?.[part] ?? definition.element) : ownPart(definition, String(part));
    if (next === undefined) return undefined;
    definition = unwrapped(next);
  }
  return definition;
}

function ownPart({ shape }: SchemaDefinition, key: string): z.core.$ZodType | undefined {
  return shape !== undefined && Object.hasOwn(shape, key) ? shape[key] : undefined;
}

function unwrapped(schema: z.core.$ZodType): SchemaDefinition {
  let definition = schema._zod.def as unknown as SchemaDefinition;
  for (let inner = innerOf(definition); inner !== undefined; inner = innerOf(definition)) {
    definition = inner._zod.def as unknown as SchemaDefinition;
  }
  return definition;
}

const innerOf = (definition: SchemaDefinition): z.core.$ZodType | undefined => definition.innerType ?? definition.in;
