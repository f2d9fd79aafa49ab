// A host's module that hands the admin page a token of its own server.
export async function getToken({ resource }) {
  const answer = await fetch(`/token?for=${encodeURIComponent(resource)}`, { method: "POST" });
  if (!answer.ok) throw new Error(`/token answered ${answer.status}`);
  return answer.json();
}
