export function App() {
  return <main>NeTI Studio</main>;
}
