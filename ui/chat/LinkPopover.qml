// Asks once before a link of an answer is opened in the browser. Paluku itself never fetches it.
import QtQuick
import Paluku
import PalukuApp

Popover {
    id: popover

    required property AppController app
    property string url: ""

    function ask(address: string, x: real, y: real): void {
        url = address;
        popover.x = x;
        popover.y = y;
        open();
    }

    contentItem: Column {
        spacing: Theme.s12

        UiText {
            width: Math.min(implicitWidth, Theme.tipWidth)
            wrapMode: Text.Wrap
            text: qsTr("Open %1 in the browser?").arg(popover.app.chat.transcript.hostOf(popover.url))
        }
        UiText {
            width: Math.min(implicitWidth, Theme.tipWidth)
            wrapMode: Text.WrapAnywhere
            maximumLineCount: 4
            elide: Text.ElideRight
            role: Theme.caption
            color: Theme.ink3
            text: popover.url
        }
        Row {
            spacing: Theme.s8

            Button {
                focus: true
                text: qsTr("Open")
                onClicked: {
                    popover.app.openLink(popover.url);
                    popover.close();
                }
            }
            Button {
                text: qsTr("Copy")
                onClicked: {
                    popover.app.copyText(popover.url);
                    popover.close();
                }
            }
        }
    }
}
