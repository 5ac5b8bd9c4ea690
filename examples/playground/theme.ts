// Light or dark: as the system has it, or as the button says.

const key = 'millrace-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** The button switches, and the choice stays; `changed` is called whenever colours are other ones. */
export function followTheme(button: HTMLButtonElement, changed: () => void): void {
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const kept = remembered();
  if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept;
  const show = () => {
    button.textContent = isDark() ? 'Light colours' : 'Dark colours';
    changed();
  };
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    remember(theme);
    show();
  });
  system.addEventListener('change', show);
  show();
}

// Browsers that keep nothing for a page throw.
function remembered(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
function remember(theme: string): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Then it lasts until the page is left.
  }
}
