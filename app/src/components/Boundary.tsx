// What the rest of the page stands behind when a part of it fails.
import { Component, type ReactNode } from 'react';

interface State {
  failure: string | null;
}

/** Shows its children, or that they failed and why: one wrong answer of a server must not take the way to the positions away. */
export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { failure: null };

  static getDerivedStateFromError(error: unknown): State {
    return { failure: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (failure === null) return this.props.children;
    return (
      <p role="alert" className="p-3 text-warn">
        This part of the page could not be shown: {failure}.{' '}
        <button type="button" className="link" onClick={() => this.setState({ failure: null })}>Try again</button>
      </p>
    );
  }
}
