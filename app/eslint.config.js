import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'src/generated', 'src/wasm', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Where an index or an element is known to be there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What a server answers is said at the call.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['src/**/*.{ts,tsx}'], plugins: { 'react-hooks': hooks },
    // Connections and wallets are outside React and set its state when they change.
    rules: { ...hooks.configs.recommended.rules, 'react-hooks/set-state-in-effect': 'off' } },
  { files: ['scripts/**/*.mjs', 'eslint.config.js'], languageOptions: { globals: { console: 'readonly', process: 'readonly' } } },
);
