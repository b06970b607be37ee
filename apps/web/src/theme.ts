import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core';

/** Wave's yellow. Only ever a ground for black text, or an accent on black: as text on white it could not be read. */
const sun: MantineColorsTuple = [
  '#fff9db',
  '#fff3bf',
  '#ffec99',
  '#ffe066',
  '#ffd83d',
  '#ffd33d',
  '#fcc419',
  '#f2b705',
  '#d99e00',
  '#b37f00',
];

const ink = '#141414';

/** Yellow is a ground with black text; where a variant would make it a text colour, the page's own text colour stands in. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input);
  const color = input.color ?? input.theme.primaryColor;
  if (color !== 'sun') return colors;
  switch (input.variant) {
    case 'filled':
      return { ...colors, background: sun[5], hover: sun[6], color: ink, border: '1px solid transparent' };
    case 'light':
      return {
        ...colors,
        background: `light-dark(${sun[1]}, rgba(255, 211, 61, 0.16))`,
        hover: `light-dark(${sun[2]}, rgba(255, 211, 61, 0.24))`,
        color: `light-dark(${ink}, ${sun[3]})`,
      };
    case 'subtle':
    case 'transparent':
    case 'outline':
      return { ...colors, color: 'var(--mantine-color-text)', hover: 'light-dark(#f1f1ee, #2c2c2c)' };
    default:
      return colors;
  }
};

export const theme = createTheme({
  primaryColor: 'sun',
  primaryShade: 5,
  colors: {
    sun,
    // A neutral dark: Mantine's own leans to blue, which fights with the yellow.
    dark: [
      '#e6e6e3',
      '#bdbdb9',
      '#a6a6a2',
      '#757571',
      '#626260',
      '#3a3a38',
      '#2a2a29',
      '#1f1f1e',
      '#171716',
      '#101010',
    ],
  },
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  defaultRadius: 'md',
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
  variantColorResolver,
  headings: { fontWeight: '650' },
});

/** Mantine's dimmed text and placeholders are a little too faint for AA on our grounds. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: { '--haic-ink': ink, '--haic-sun': sun[5] },
  light: {
    // Outlines of fields: Mantine's own are fainter than AA's 3:1.
    '--mantine-color-gray-4': '#91918b',
    '--mantine-color-body': '#fbfbf9',
    '--mantine-color-text': '#1c1c1a',
    '--mantine-color-dimmed': '#5c5c57',
    '--mantine-color-placeholder': '#6f6f69',
    '--mantine-color-anchor': '#1c1c1a',
    '--mantine-color-error': '#b42318',
    '--haic-card': '#ffffff',
    '--haic-line': '#dededa',
    '--haic-ok': '#1a7f37',
    '--haic-busy': '#9a6700',
    '--haic-bad': '#c62828',
    '--haic-idle': '#6f6f69',
  },
  dark: {
    '--mantine-color-body': '#141413',
    '--mantine-color-text': '#ededea',
    '--mantine-color-dimmed': '#ababa6',
    '--mantine-color-placeholder': '#8d8d88',
    '--mantine-color-anchor': '#ededea',
    '--mantine-color-error': '#ff8a80',
    '--haic-card': '#1d1d1c',
    '--haic-line': '#383836',
    '--haic-ok': '#4ac26b',
    '--haic-busy': '#ffd33d',
    '--haic-bad': '#ff8a80',
    '--haic-idle': '#8d8d88',
  },
});
