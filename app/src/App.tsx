// The page: loads the WebAssembly, then connects.
import { useEffect, useState } from 'react';

import initialise from './wasm/ballast_wasm';
import wasmUrl from './wasm/ballast_wasm_bg.wasm?url';
import { Header } from './components/Header';
import { Banners } from './components/Banners';
import { ActingFor } from './components/Entrusted';
import { Notices } from './components/Notices';
import { useRoute } from './hooks/route';
import { SessionProvider, useSession } from './hooks/session';
import { useMarkets, useStatus } from './hooks/chain';
import { AccountPage } from './pages/Account';
import { InsurancePage } from './pages/Insurance';
import { RiskPage } from './pages/Risk';
import { TradePage } from './pages/Trade';
import { WhyPage } from './pages/Why';

const loading = initialise({ module_or_path: wasmUrl });

export function App() {
  const [ready, setReady] = useState(false);
  const [failure, setFailure] = useState('');
  useEffect(() => {
    loading.then(
      () => setReady(true),
      (error: unknown) => setFailure(String(error)),
    );
  }, []);
  if (failure) return <Splash text={`The page's arithmetic could not be loaded: ${failure}`} />;
  if (!ready) return <Splash text="Loading" />;
  return (
    <SessionProvider>
      <Frame />
    </SessionProvider>
  );
}

/** What is there before anything else. */
function Splash({ text }: { text: string }) {
  return (
    <div className="grid h-full grid-rows-[auto_1fr]">
      <header className="flex h-11 items-center border-b border-line bg-surface px-3 text-base font-semibold">Ballast</header>
      <main className="grid place-items-center text-muted" role="status">
        <h1 className="text-sm font-normal">{text}</h1>
      </main>
    </div>
  );
}

function Frame() {
  const route = useRoute();
  const { chain } = useSession();
  const { phase, failure } = useStatus();
  const markets = useMarkets();
  const market = markets.find(({ symbol }) => symbol === route.market) ?? markets[0];
  const focus = market?.index;
  useEffect(() => {
    if (focus !== undefined) chain.setFocus(focus);
  }, [chain, focus]);
  let page = null;
  if (phase === 'ready' && market) {
    if (route.page === 'account') page = <AccountPage />;
    else if (route.page === 'risk') page = <RiskPage market={market} />;
    else if (route.page === 'insurance') page = <InsurancePage />;
    else if (route.page === 'why') page = <WhyPage route={route} />;
    else page = <TradePage market={market} key={market.index} />;
  }
  return (
    <div className="grid h-full min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_auto_1fr]">
      <Header route={route} />
      <div>
        <ActingFor />
        <Banners market={market} page={route.page} />
      </div>
      <main className="min-h-0 overflow-auto">
        {page ?? (
          <div className="grid h-full place-items-center p-6 text-center" role="status">
            <div>
              <h1 className="text-base font-medium">{phase === 'failed' ? 'The network cannot be reached' : 'Connecting'}</h1>
              <p className="mt-1 max-w-md text-muted">
                {phase === 'failed' ? `${failure}. Trying again; another network can be chosen above.` : chain.cluster.rpc}
              </p>
            </div>
          </div>
        )}
      </main>
      <Notices />
    </div>
  );
}
