// What is typed into the form of a procedure, and which fields it has.
import type { components } from '../gen/api';

export type Input = components['schemas']['ProcedureInput'];
export type InputFor = components['schemas']['ProcedureFor'];

export const DATA_FIELDS = [
  'name',
  'name_kana',
  'former_name',
  'former_name_kana',
  'workplace_name',
  'workplace_postcode',
  'workplace_address',
  'phone',
] as const;
export const CATEGORY_FIELDS = ['category_l1', 'category_l2', 'category_l3'] as const;
export type Field = (typeof DATA_FIELDS)[number] | (typeof CATEGORY_FIELDS)[number];
export type Values = Record<Field, string> & {
  register_no: string;
  birth_on: string;
  kind: InputFor['kind'];
  depth: string;
  l1_code: string;
  effective_on: string;
  reason: string;
};

export const emptyValues = (kind: InputFor['kind']): Values => {
  const values = { register_no: '', birth_on: '', kind, depth: '3', l1_code: '', effective_on: '', reason: '' } as Values;
  for (const field of [...DATA_FIELDS, ...CATEGORY_FIELDS]) values[field] = '';
  return values;
};
