/** The system's notifications, for who works elsewhere while a training runs. Nobody is asked unless they press a button. */
export type Permission = NotificationPermission | 'missing';

export interface Notifier {
  permission(): Permission;
  /** Has the browser ask. */
  ask(): Promise<Permission>;
  /** Shows it where that is allowed and the page is out of sight. */
  show(title: string, body: string): void;
}

export const browserNotifier: Notifier = {
  permission: () => ('Notification' in globalThis ? Notification.permission : 'missing'),
  ask: () =>
    'Notification' in globalThis ? Notification.requestPermission() : Promise.resolve('missing' as const),
  show(title, body) {
    if (browserNotifier.permission() !== 'granted' || document.visibilityState === 'visible') return;
    void display(title, { body, icon: 'icon-192.png', tag: 'training' });
  },
};

/** Phones show only what a service worker asks them to. */
async function display(title: string, options: NotificationOptions): Promise<void> {
  try {
    const shown = new Notification(title, options);
    shown.onclick = () => window.focus();
  } catch {
    const registration = await navigator.serviceWorker?.getRegistration();
    await registration?.showNotification(title, options);
  }
}
