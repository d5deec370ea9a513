// The installation's own words: name, disclaimer, help line, notices, terms. Read once a language.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Answer } from './api/types';

export type Site = Answer<'/api/v1/site', 'get'>;
export const SiteContext = createContext<Site | undefined>(undefined);
export const useSite = (): Site | undefined => useContext(SiteContext);
